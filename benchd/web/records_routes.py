"""The routes that look up: handsets across their jobs, and the report."""

# Annotations name what is made in the function, so they are read at once.

from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from benchd.authority import Action
from benchd.errors import UsageRefused
from benchd.intake.desk import LONGEST_TEXT
from benchd.texts.catalogue import Catalogue
from benchd.web.present_records import RecordsPresenter
from benchd.web.present_report import ReportPresenter
from benchd.web.records_objects import FoundObject, HandsetFileObject, ReportObject, UptoObject
from benchd.web.refusals import DECISION, INVALID, LEDGER, LONGEST_NAME, NOT_FOUND, SIGN_IN
from benchd.web.service import RecordsDoor
from benchd.web.who import Acting, WhoActs
from benchd.words.people import By
from benchd.words.report import Asked

LONGEST_FIND = 80

FindInQuery = Annotated[str, Query(max_length=LONGEST_FIND)]
DayInQuery = Annotated[date, Query()]
NameInQuery = Annotated[str | None, Query(max_length=LONGEST_TEXT)]


def records_routes(door: RecordsDoor, catalogue: Catalogue, who: WhoActs) -> APIRouter:
    """`/api/v1/handsets`, `/api/v1/report` and `/api/v1/records`."""
    router = APIRouter(prefix="/api/v1", responses=INVALID | LEDGER)
    presenter, reporting = RecordsPresenter(catalogue), ReportPresenter(catalogue)
    rebuilding = Acting(Action.REBUILD, who)

    @router.get("/handsets")
    async def found(find: FindInQuery) -> FoundObject:
        """Handsets by a part of an IMEI, serial, tag, job or certificate's number, from 4 letters.

        A handset is told by its IMEI; others of the same serial are only perhaps the same.
        """
        return presenter.found(await door.find(find), door.upto)

    @router.get("/handsets/{key}", responses=NOT_FOUND)
    async def handset(key: Annotated[str, Path(max_length=LONGEST_NAME)]) -> HandsetFileObject:
        """Everything about one handset; its key is the first of its jobs, and each other does."""
        return presenter.file(await door.handset(key), door.upto)

    @router.get("/report")
    async def report(
        begin: Annotated[date, Query(alias="from")],
        last: Annotated[date, Query(alias="to")],
        lot: NameInQuery = None,
        consignor: NameInQuery = None,
        *,
        jobs: bool = True,
    ) -> ReportObject:
        """What came in from one day to another, both of them in it, by this machine's calendar.

        A blank lot or consignor asks for what is of none. Without `jobs` it only counts.
        """
        if last < begin:
            raise UsageRefused("the last day lies before the first")
        end = _midnight(last + timedelta(days=1))
        asked = Asked(begin=_midnight(begin), end=end, lot=lot, consignor=consignor)
        told = await door.report(asked, named=jobs)
        days = {"from": begin.isoformat(), "to": last.isoformat()}
        return reporting.report(told, door.upto, days)

    @router.get("/records")
    async def upto() -> UptoObject:
        """Up to which record of the ledger the read model is true."""
        return UptoObject(sequence=door.upto.sequence, hash=door.upto.hash)

    @router.post("/records/rebuild", status_code=202, responses=DECISION | SIGN_IN)
    async def rebuild(_: Annotated[By, Depends(rebuilding)]) -> UptoObject:
        """Throw the read model away and make it anew; over the Unix socket only."""
        door.make_anew()
        return UptoObject(sequence=door.upto.sequence, hash=door.upto.hash)

    return router


def _midnight(day: date) -> datetime:
    """Where the rack stands."""
    return datetime(day.year, day.month, day.day).astimezone()
