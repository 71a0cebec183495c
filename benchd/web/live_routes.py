"""The routes that tell what happens on the rack: the event stream, and what people have to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import anyio
from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from benchd.texts.catalogue import Catalogue
from benchd.web.callers import Callers, caller_of
from benchd.web.events import rack_events
from benchd.web.present import Presenter
from benchd.web.proofs import Proofs
from benchd.web.queue import QueueDesk, QueueObject
from benchd.web.service import RackService
from benchd.web.sight import Sight
from benchd.web.wall import WallPresenter


def live_routes(
    rack: RackService,
    presenter: Presenter,
    catalogue: Catalogue,
    callers: Callers,
    stopping: anyio.Event,
) -> APIRouter:
    """Both show whoever may see only the wall objects of its own."""
    router = APIRouter(prefix="/api/v1")
    wall = WallPresenter(presenter)
    desk = QueueDesk(rack.board, catalogue, Proofs(rack))

    def sees_all(request: Request) -> bool:
        return caller_of(request.scope).sight >= Sight.READ

    @router.get("/queue")
    async def queue(request: Request) -> QueueObject:
        """What people have to do next, the most urgent first."""
        return desk.shown(await desk.errands(), sees_all=sees_all(request))

    @router.get("/events", response_class=EventSourceResponse)
    async def events(request: Request) -> AsyncIterator[ServerSentEvent]:
        """Each slot object, then each one that changes, as server-sent events.

        Ends once the caller may see more or less than at its begin.
        """
        began = caller_of(request.scope).sight
        all_of_it = sees_all(request)
        told = rack_events(
            rack.board,
            presenter,
            presenter.slot if all_of_it else wall.slot,
            desk,
            partial(desk.shown, sees_all=all_of_it),
            stopping,
        )
        async for event in told:
            if callers.of(request.scope).sight != began:
                break
            yield event

    return router
