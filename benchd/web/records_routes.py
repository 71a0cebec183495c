"""The routes that look up: handsets across their jobs, and the report."""

# Annotations name what is made in the function, so they are read at once.

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from benchd.domain.authority import Action
from benchd.domain.errors import UsageRefused
from benchd.domain.handset import BatteryWear
from benchd.domain.handset_file import HandsetFile
from benchd.domain.report import Asked
from benchd.intake.intake_desk import LONGEST_TEXT
from benchd.proof.grade_book import Graded
from benchd.texts.catalogue import Catalogue
from benchd.texts.csv_cells import cell
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import Acting
from benchd.web.certificate_status import history_of
from benchd.web.error_answers import (
    DECISION,
    INVALID,
    LEDGER,
    LONGEST_NAME,
    NOT_FOUND,
    SIGN_IN,
    Responses,
)
from benchd.web.records_objects import (
    FiledJobsObject,
    FoundObject,
    HandsetFileObject,
    RecordsPresenter,
    ReportObject,
    ReportPresenter,
    ShareObject,
    UptoObject,
)
from benchd.web.service import ServedRack

LONGEST_FIND = 80
MOST_JOBS = 100
HEADER = (
    *("figure", "value", "項目", "区分", "figure_en", "value_en", "handsets"),
    *("counted_by", "lot", "consignor"),
)
CSV: Responses = {200: {"content": {"text/csv": {}}}}

FindInQuery = Annotated[str, Query(max_length=LONGEST_FIND)]
JobsInQuery = Annotated[
    list[Annotated[str, Query(max_length=LONGEST_NAME)]],
    Query(alias="job", min_length=1, max_length=MOST_JOBS),
]
DayInQuery = Annotated[date, Query()]
NameInQuery = Annotated[str | None, Query(max_length=LONGEST_TEXT)]


def records_routes(rack: ServedRack, catalogue: Catalogue) -> APIRouter:
    """`/api/v1/handsets`, `/api/v1/report` and `/api/v1/records`."""
    router = APIRouter(prefix="/api/v1", responses=INVALID | LEDGER)
    door = rack.records
    presenter = RecordsPresenter(catalogue, rack.holder)
    reporting = ReportPresenter(catalogue)

    async def reported(
        begin: date, last: date, lot: str | None, consignor: str | None, *, jobs: bool
    ) -> ReportObject:
        if last < begin:
            raise UsageRefused("the last day lies before the first")
        end = _midnight(last + timedelta(days=1))
        asked = Asked(begin=_midnight(begin), end=end, lot=lot, consignor=consignor)
        told = await door.report(asked, named=jobs)
        days = {"from": begin.isoformat(), "to": last.isoformat()}
        return reporting.report(told, door.upto, days)

    @router.get("/handsets")
    @served_to(AccessLevel.READ)
    async def found(find: FindInQuery) -> FoundObject:
        """Handsets by a part of an IMEI, serial, tag, job or certificate's number, from 4 letters.

        A handset is told by its IMEI; others of the same serial are only perhaps the same.
        """
        return presenter.found(await door.find(find), door.upto)

    @router.get("/handsets/{key}", responses=NOT_FOUND)
    @served_to(AccessLevel.READ)
    async def handset(key: Annotated[str, Path(max_length=LONGEST_NAME)]) -> HandsetFileObject:
        """Everything about one handset; its key is the first of its jobs, and each other does."""
        file, upto = await door.handset(key), door.upto
        return presenter.file(file, upto, _graded(rack, file), await _battery(rack, file))

    @router.get("/report")
    @served_to(AccessLevel.READ)
    async def report(
        begin: Annotated[date | None, Query(alias="from")] = None,
        last: Annotated[date | None, Query(alias="to")] = None,
        lot: NameInQuery = None,
        consignor: NameInQuery = None,
        *,
        jobs: bool = True,
    ) -> ReportObject:
        """What came in from one day to another, both of them in it, by this machine's calendar.

        Without days it's of this month until today.
        A blank lot or consignor asks for what is of none. Without `jobs` it only counts.
        """
        last = last or _today()
        begin = begin or last.replace(day=1)
        return await reported(begin, last, lot, consignor, jobs=jobs)

    @router.get("/report.csv", response_class=Response, responses=CSV)
    @served_to(AccessLevel.READ)
    async def report_csv(
        begin: Annotated[date, Query(alias="from")],
        last: Annotated[date, Query(alias="to")],
        lot: NameInQuery = None,
        consignor: NameInQuery = None,
    ) -> Response:
        """The same for a spreadsheet, without the jobs: UTF-8 with a byte order mark."""
        told = await reported(begin, last, lot, consignor, jobs=False)
        name = f"report-{begin.isoformat()}-{last.isoformat()}.csv"
        kept = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(csv_of(told), media_type="text/csv; charset=utf-8", headers=kept)

    @router.get("/records")
    @served_to(AccessLevel.READ)
    async def upto() -> UptoObject:
        """Up to which record of the ledger the read model is true."""
        return UptoObject.of(door.upto)

    @router.get("/records/jobs")
    @served_to(AccessLevel.READ)
    async def jobs(wanted: JobsInQuery) -> FiledJobsObject:
        """Jobs by their numbers, as those behind a figure; what isn't there is left out."""
        return presenter.jobs(await door.jobs(wanted), door.upto)

    @router.post("/records/rebuild", status_code=202, responses=DECISION | SIGN_IN)
    @served_to(AccessLevel.SOCKET, action=Action.REBUILD)
    async def rebuild(_: Acting) -> UptoObject:
        """Throw the read model away and make it anew; over the Unix socket only."""
        door.make_anew()
        return UptoObject.of(door.upto)

    return router


def _today() -> date:
    return datetime.now(UTC).astimezone().date()


def _midnight(day: date) -> datetime:
    """Where the rack stands."""
    return datetime(day.year, day.month, day.day).astimezone()


def csv_of(report: ReportObject) -> bytes:
    """A report for spreadsheets, which take UTF-8 for the machine's own letters without its mark.

    One line for each value of each figure; the jobs behind them stand in the JSON.
    """
    text = io.StringIO()
    # Each in quotes: a spreadsheet that guesses what divides cells sees where each one ends.
    lines = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    lines.writerow(HEADER)
    for line in _lines(report):
        lines.writerow([*line, "all", "", ""])
    for counted_by, shares in (("consignor", report.consignors), ("lot", report.lots)):
        for share in shares:
            # Lots and consignors are as people have typed them.
            names = (cell(share.lot), cell(share.consignor))
            for line in _lines(share):
                lines.writerow([*line, counted_by, *names])
    return codecs.BOM_UTF8 + text.getvalue().encode()


def _lines(told: ReportObject | ShareObject) -> Iterator[tuple[str | int, ...]]:
    for figure in told.figures:
        name = figure.text
        for value in figure.values:
            said = (figure.figure.value, value.value, name.ja, value.ja, name.en, value.en)
            yield (*said, value.handsets)


def _graded(rack: ServedRack, file: HandsetFile) -> Sequence[Graded]:
    """What people have said of it, in whichever of its jobs."""
    jobs, tags = [job.job for job in file.jobs], [job.tag for job in file.jobs]
    return rack.grades.book.given(jobs=jobs, tags=tags)


async def _battery(rack: ServedRack, file: HandsetFile) -> BatteryWear:
    """As the newest of its jobs has heard that was inspected."""
    inspected = [job.job for job in file.jobs if job.serial is not None]
    if not inspected:
        return BatteryWear()
    return (await history_of(rack, inspected[-1])).battery
