"""The routes that show the rack as it is now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import APIRouter, Path
from fastapi.sse import EventSourceResponse, ServerSentEvent

from benchd.errors import NotFound
from benchd.web.events import rack_events
from benchd.web.objects import RackObject, SlotObject
from benchd.web.present import Presenter
from benchd.web.refusals import INVALID, LONGEST_NAME, NOT_FOUND
from benchd.web.service import WatchedBoard
from benchd.words.ids import SlotName

SlotInPath = Annotated[str, Path(max_length=LONGEST_NAME)]


def slot_routes(board: WatchedBoard, presenter: Presenter, stopping: anyio.Event) -> APIRouter:
    """Slots and the event stream."""
    router = APIRouter(prefix="/api/v1")

    @router.get("/slots")
    async def slots() -> RackObject:
        """Every slot of the rack, and ports in use that are no slot."""
        return RackObject(
            slots=[presenter.slot(view) for view in board.views().values()],
            unknown_ports=[presenter.unknown_port(port) for port in board.unknown_ports()],
            notices=[presenter.problem(view) for view in board.notices()],
        )

    @router.get("/slots/{slot}", responses=NOT_FOUND | INVALID)
    async def slot(slot: SlotInPath) -> SlotObject:
        """One slot."""
        view = board.views().get(SlotName(slot))
        if view is None:
            message = f"there is no slot {slot}"
            raise NotFound(message)
        return presenter.slot(view)

    @router.get("/events", response_class=EventSourceResponse)
    async def events() -> AsyncIterator[ServerSentEvent]:
        """Each slot object, then each one that changes, as server-sent events."""
        async for event in rack_events(board, presenter, stopping):
            yield event

    return router
