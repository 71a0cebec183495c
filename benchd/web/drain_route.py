"""The routes that let running jobs end; only people on the machine itself may ask."""

# Annotations name what is made in the function, so they are read at once.

from typing import Annotated

import structlog
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from benchd.domain.authority import Action
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import Acting
from benchd.web.error_answers import INVALID, SIGN_IN
from benchd.web.objects import DrainObject
from benchd.web.peer import peer_of
from benchd.web.service import ServedRack

_log = structlog.get_logger()

LONGEST_PAUSE_S = 3600.0


class PauseRequest(BaseModel):
    """For how many seconds from now no job may begin; 0 ends a pause."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    for_s: Annotated[float, Field(ge=0.0, le=LONGEST_PAUSE_S)]


def uid_of(request: Request) -> int | None:
    """The user whose process asks, where that is known."""
    peer = peer_of(request.scope)
    return peer.uid if peer else None


def drain_route(rack: ServedRack) -> APIRouter:
    """`/api/v1/drain`: close the door for good or a while, and look how many are behind it."""
    door = rack.admission
    router = APIRouter(prefix="/api/v1/drain")

    def now() -> DrainObject:
        return DrainObject(draining=door.closed, paused=door.paused, running_jobs=door.running)

    @router.get("")
    @served_to(AccessLevel.READ)
    async def draining() -> DrainObject:
        """Whether the daemon is about to end, and what it waits for."""
        return now()

    @router.post("", status_code=202, responses=SIGN_IN)
    @served_to(AccessLevel.SOCKET, action=Action.DRAIN)
    async def drain(request: Request, by: Acting) -> DrainObject:
        """Begin no new job, finish those that run, then end. Over the Unix socket only."""
        if not door.closed:
            _log.info(
                "draining",
                uid=uid_of(request),
                person=by.actor.person if by.actor else None,
                running_jobs=door.running,
            )
        door.close()
        return now()

    @router.put("/pause", responses=SIGN_IN | INVALID)
    @served_to(AccessLevel.SOCKET, action=Action.DRAIN)
    async def pause(request: Request, wanted: PauseRequest, by: Acting) -> DrainObject:
        """Begin no new job for a while, finish those that run. Over the Unix socket only.

        Who wants it longer asks again: a pause whose asker has died is soon over.
        """
        if wanted.for_s and not door.paused:
            _log.info(
                "paused",
                uid=uid_of(request),
                person=by.actor.person if by.actor else None,
                running_jobs=door.running,
            )
        door.pause(wanted.for_s)
        return now()

    return router
