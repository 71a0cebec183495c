"""The route of the shift board."""

# Annotations name what is made in the function, so they are read at once.

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from benchd.errors import UsageRefused
from benchd.texts.catalogue import Catalogue
from benchd.web.present_shift import ShiftPresenter
from benchd.web.refusals import INVALID, LEDGER
from benchd.web.service import RecordsDoor
from benchd.web.shift_objects import ShiftObject
from benchd.words.shift import LONGEST_SHIFT, Shift


def shift_routes(door: RecordsDoor, catalogue: Catalogue, now: Callable[[], datetime]) -> APIRouter:
    """`/api/v1/shift`."""
    router = APIRouter(prefix="/api/v1", responses=INVALID | LEDGER)
    presenter = ShiftPresenter(catalogue)

    @router.get("/shift")
    async def shift(
        begin: Annotated[datetime | None, Query(alias="from")] = None,
        end: Annotated[datetime | None, Query(alias="to")] = None,
    ) -> ShiftObject:
        """What was done from one time to another, by default today by this machine's calendar.

        A time without a zone is of the machine's own clock; seven days at most.
        """
        at = now()
        asked = shift_of(begin, end, at)
        told = await door.shift(asked)
        return presenter.shift(told, await door.bins(), door.upto, at)

    return router


def shift_of(begin: datetime | None, end: datetime | None, now: datetime) -> Shift:
    """The shift that is asked for; raises UsageRefused where it isn't one."""
    midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    first = midnight if begin is None else begin
    try:
        last = first + timedelta(days=1) if end is None else end
        # Those without a zone are of the machine's own clock, on whichever side of a change of it.
        asked = Shift(begin=first.astimezone(), end=last.astimezone())
        long = asked.end - asked.begin
    except (OverflowError, ValueError, OSError) as error:
        message = "no clock has shown this time"
        raise UsageRefused(message) from error
    if long <= timedelta(0):
        message = "the end of the shift lies before its begin"
        raise UsageRefused(message)
    if long > LONGEST_SHIFT:
        message = f"a shift is of {LONGEST_SHIFT.days} days at most; the report counts longer times"
        raise UsageRefused(message)
    return asked
