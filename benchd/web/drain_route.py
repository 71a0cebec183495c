"""The route that lets the daemon end in peace; only people on the machine itself may ask."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request

from benchd.web.objects import DrainObject
from benchd.web.peer import peer_of
from benchd.web.service import DrainDoor

_log = structlog.get_logger()


def drain_route(door: DrainDoor) -> APIRouter:
    """`/api/v1/drain`: close the door, and look how many are still behind it."""
    router = APIRouter(prefix="/api/v1/drain")

    def now() -> DrainObject:
        return DrainObject(draining=door.closed, running_jobs=door.running)

    @router.get("")
    async def draining() -> DrainObject:
        """Whether the daemon is about to end, and what it waits for."""
        return now()

    @router.post("", status_code=202)
    async def drain(request: Request) -> DrainObject:
        """Begin no new job, finish those that run, then end. Over the Unix socket only."""
        peer = peer_of(request.scope)
        if not door.closed:
            _log.info("draining", uid=peer.uid if peer else None, running_jobs=door.running)
        door.close()
        return now()

    return router
