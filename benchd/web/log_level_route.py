"""The route by which an administrator has more logged for a while; over the Unix socket only."""

# Annotations name what is made in the function, so they are read at once.

from collections.abc import Callable, Collection
from typing import Annotated

import structlog
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from benchd.domain.authority import Action
from benchd.domain.errors import NotFound
from benchd.domain.ids import SlotName
from benchd.domain.log_level import LONGEST_S, USUAL_S, LogLevel
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import Acting
from benchd.web.error_answers import INVALID, LONGEST_NAME, NOT_FOUND, SIGN_IN
from benchd.web.peer import peer_of
from benchd.web.serialiser import Verbatim, WebObject
from benchd.web.service import LogControl

_log = structlog.get_logger()


class MoreLoggedObject(WebObject):
    """That everything is logged of a slot, or of the whole rack where it names none."""

    slot: Verbatim | None
    left_s: float


class LogLevelObject(WebObject):
    """How much is logged: as usual where nothing stands under `debug`."""

    debug: list[MoreLoggedObject]


class LogLevelRequest(BaseModel):
    """What is to be logged, of which slot or of all, and for how long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: LogLevel
    slot: Annotated[str | None, Field(max_length=LONGEST_NAME)] = None
    for_s: Annotated[float, Field(ge=1.0, le=LONGEST_S)] = USUAL_S


def log_level_route(door: LogControl, slots: Callable[[], Collection[SlotName]]) -> APIRouter:
    """`/api/v1/log-level`: look at it, and change it for a while."""
    router = APIRouter(prefix="/api/v1/log-level")

    def now() -> LogLevelObject:
        found = door.in_effect()
        return LogLevelObject(
            debug=[MoreLoggedObject(slot=one.slot, left_s=round(one.left_s, 1)) for one in found]
        )

    @router.get("")
    @served_to(AccessLevel.SOCKET)
    async def log_level() -> LogLevelObject:
        """Of what everything is logged, and for how long still."""
        return now()

    @router.put("", responses=SIGN_IN | NOT_FOUND | INVALID)
    @served_to(AccessLevel.SOCKET, action=Action.LOG)
    async def change(request: Request, wanted: LogLevelRequest, by: Acting) -> LogLevelObject:
        """Log everything of a slot or of the rack for a while, or as usual again."""
        slot = None if wanted.slot is None else SlotName(wanted.slot)
        if slot is not None and slot not in slots():
            message = f"there is no slot {slot}"
            raise NotFound(message)
        door.change(wanted.level, slot, wanted.for_s)
        peer = peer_of(request.scope)
        _log.info(
            "log_level_changed",
            slot=slot,
            set_to=wanted.level,
            for_s=wanted.for_s if wanted.level is LogLevel.DEBUG else None,
            uid=peer.uid if peer else None,
            person=by.actor.person if by.actor else None,
        )
        return now()

    return router
