"""The route of the shift board."""

# Annotations name what is made in the function, so they are read at once.

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query

from benchd.domain.errors import UsageRefused
from benchd.domain.shift import Shift
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.error_answers import INVALID, LEDGER
from benchd.web.service import ServedRack
from benchd.web.shift_objects import ShiftObject, ShiftPresenter

MIDNIGHT: Final = time(0)


def shift_routes(rack: ServedRack, catalogue: Catalogue) -> APIRouter:
    """`/api/v1/shift`."""
    router = APIRouter(prefix="/api/v1", responses=INVALID | LEDGER)
    door, presenter = rack.records, ShiftPresenter(catalogue)

    @router.get("/shift")
    @served_to(AccessLevel.READ)
    async def shift(
        day: Annotated[date | None, Query()] = None,
        begin: Annotated[time, Query(alias="from")] = MIDNIGHT,
        end: Annotated[time, Query(alias="to")] = MIDNIGHT,
    ) -> ShiftObject:
        """What was done from one time of a day to another, by this machine's clock and calendar.

        One that doesn't end later than it begins goes over midnight. Without a day it's the one
        that runs, or the one of today.
        """
        at = datetime.now(UTC)
        asked = shift_of(day, begin, end, at)
        told = await door.shift(asked)
        return presenter.shift(told, await door.bins(), door.upto, at)

    return router


def shift_of(day: date | None, begin: time, end: time, now: datetime) -> Shift:
    """The shift that is asked for; raises UsageRefused where no clock has shown such times."""
    if begin.tzinfo or end.tzinfo:
        message = "the clock is the machine's own: a time of it has no zone"
        raise UsageRefused(message)
    here = now.astimezone()
    over = end <= begin
    if day is None:
        # After midnight the night shift is the one that began yesterday.
        began = here.date() - timedelta(days=1)
        day = began if over and here.time() < end else here.date()
    try:
        last = day + timedelta(days=1) if over else day
        # On whichever side of a change of the clock.
        first_at, last_at = datetime.combine(day, begin), datetime.combine(last, end)
        return Shift(begin=first_at.astimezone(), end=last_at.astimezone())
    except (OverflowError, ValueError, OSError) as error:
        message = "no clock has shown this time"
        raise UsageRefused(message) from error
