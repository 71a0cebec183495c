"""The route that lets the daemon end in peace; only people on the machine itself may ask."""

# Annotations name what is made in the function, so they are read at once.

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request

from benchd.authority import Action
from benchd.web.objects import DrainObject
from benchd.web.peer import peer_of
from benchd.web.refusals import SIGN_IN
from benchd.web.service import DrainDoor
from benchd.web.who import Acting, WhoActs
from benchd.words.people import By

_log = structlog.get_logger()


def drain_route(door: DrainDoor, who: WhoActs) -> APIRouter:
    """`/api/v1/drain`: close the door, and look how many are still behind it."""
    draining_it = Acting(Action.DRAIN, who)
    router = APIRouter(prefix="/api/v1/drain")

    def now() -> DrainObject:
        return DrainObject(draining=door.closed, running_jobs=door.running)

    @router.get("")
    async def draining() -> DrainObject:
        """Whether the daemon is about to end, and what it waits for."""
        return now()

    @router.post("", status_code=202, responses=SIGN_IN)
    async def drain(request: Request, by: Annotated[By, Depends(draining_it)]) -> DrainObject:
        """Begin no new job, finish those that run, then end. Over the Unix socket only."""
        peer = peer_of(request.scope)
        if not door.closed:
            _log.info(
                "draining",
                uid=peer.uid if peer else None,
                person=by.actor.person if by.actor else None,
                running_jobs=door.running,
            )
        door.close()
        return now()

    return router
