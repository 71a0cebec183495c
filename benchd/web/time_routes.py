"""The routes of the rack's time: whether it is gone by, and an administrator's word for it."""

# Annotations name what is made in the function, so they are read at once.

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BeforeValidator, Field

from benchd.authority import Action
from benchd.intake.desk import IntakeDesk
from benchd.proof.evidence.clock import TimeBasis
from benchd.proof.evidence.intake import Who
from benchd.web.intake_objects import moment
from benchd.web.objects import LONGEST_OPERATOR
from benchd.web.refusals import DECISION, INVALID, LEDGER, SIGN_IN
from benchd.web.serialiser import Moment, WebObject, WebRequest
from benchd.web.who import InPerson, WhoActs, only_as
from benchd.words.intake import TimeDoubt
from benchd.words.people import Actor


class RackTimeObject(WebObject):
    """The rack's time, and whether what was attested or looked up counts by it."""

    now: Moment
    counts: bool
    doubt: TimeDoubt | None
    """Why nothing with an age is cited: everything is asked then."""
    confirmed: int | None
    """The record by which somebody has confirmed it; null where a time source has set it."""


class ConfirmTimeRequest(WebRequest):
    """What another clock says: a radio clock, a telephone."""

    seen_at: Annotated[AwareDatetime, BeforeValidator(moment)]
    operator: Annotated[str | None, Field(max_length=LONGEST_OPERATOR)] = None
    """The id of whoever does it; where it is given, nobody else does."""


def time_routes(desk: IntakeDesk, who: WhoActs) -> APIRouter:
    """`/api/v1/time`."""
    router = APIRouter(prefix="/api/v1/time")
    confirming = InPerson(Action.ADMINISTER, who)

    def now() -> RackTimeObject:
        basis, at = desk.time_basis(), datetime.now(UTC)
        if isinstance(basis, TimeBasis):
            return RackTimeObject(
                now=basis.at.isoformat(), counts=True, doubt=None, confirmed=basis.confirmed
            )
        return RackTimeObject(now=at.isoformat(), counts=False, doubt=basis, confirmed=None)

    @router.get("")
    async def rack_time() -> RackTimeObject:
        """What time it is on the rack, and whether that is gone by."""
        return now()

    @router.post("", responses=INVALID | LEDGER | DECISION | SIGN_IN)
    async def confirm(
        asked: ConfirmTimeRequest, by: Annotated[Actor, Depends(confirming)]
    ) -> RackTimeObject:
        """The rack's time is right until the machine is started again; on disk when it returns."""
        await desk.confirm_time(asked.seen_at, by=Who.of(only_as(by, asked.operator)))
        return now()

    return router
