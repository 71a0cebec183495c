"""The routes of the rack's time: whether it is gone by, and an administrator's word for it."""

# Annotations name what is made in the function, so they are read at once.

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, BeforeValidator, Field

from benchd.domain.authority import Action
from benchd.domain.intake import TimeDoubt
from benchd.proof.evidence.clock_evidence import TimeBasis
from benchd.proof.evidence.intake_evidence import Who
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import InPerson, only_as
from benchd.web.error_answers import DECISION, INVALID, LEDGER, SIGN_IN
from benchd.web.intake_objects import moment
from benchd.web.objects import LONGEST_OPERATOR
from benchd.web.serialiser import Moment, WebObject, WebRequest
from benchd.web.service import ServedRack


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


def time_routes(rack: ServedRack) -> APIRouter:
    """`/api/v1/time`."""
    desk = rack.intake
    router = APIRouter(prefix="/api/v1/time")

    def now() -> RackTimeObject:
        basis, at = desk.time_basis(), datetime.now(UTC)
        if isinstance(basis, TimeBasis):
            return RackTimeObject(
                now=basis.at.isoformat(), counts=True, doubt=None, confirmed=basis.confirmed
            )
        return RackTimeObject(now=at.isoformat(), counts=False, doubt=basis, confirmed=None)

    @router.get("")
    @served_to(AccessLevel.READ)
    async def rack_time() -> RackTimeObject:
        """What time it is on the rack, and whether that is gone by."""
        return now()

    @router.post("", responses=INVALID | LEDGER | DECISION | SIGN_IN)
    @served_to(AccessLevel.SOCKET, action=Action.ADMINISTER)
    async def confirm(asked: ConfirmTimeRequest, by: InPerson) -> RackTimeObject:
        """The rack's time is right until the machine is started again; on disk when it returns."""
        await desk.confirm_time(asked.seen_at, by=Who.of(only_as(by, asked.operator)))
        return now()

    return router
