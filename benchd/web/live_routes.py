"""The routes that tell what happens on the rack: the event stream, and what people have to do."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from benchd.domain.visitor_source import machine_of
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.callers import Callers, caller_of
from benchd.web.event_frames import Frames
from benchd.web.event_stream import rack_events
from benchd.web.peer import source_of
from benchd.web.present import Presenter
from benchd.web.proofs import Proofs
from benchd.web.queue_view import QueueDesk, QueueObject
from benchd.web.service import ServedRack
from benchd.web.slot_cache import SlotsByAccessLevel
from benchd.web.streams import Streams

UNBUFFERED: Final = MappingProxyType({"cache-control": "no-cache", "x-accel-buffering": "no"})
"""A proxy hands each event on at once; the second one is nginx' own."""
_TEXT: Final = {"type": "string"}
STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            "text/event-stream": {
                "itemSchema": {
                    "type": "object",
                    "properties": {
                        "data": _TEXT,
                        "event": _TEXT,
                        "id": _TEXT,
                        "retry": {"type": "integer", "minimum": 0},
                    },
                }
            }
        }
    }
}
"""Source: OpenAPI 3.2, 4.14.4, "Special Considerations for Server-Sent Events"."""


class EventStream(StreamingResponse):
    """Server-sent events that are bytes already; ends in good order where it has to make room."""

    media_type = "text/event-stream"

    def __init__(self, told: AsyncGenerator[bytes], streams: Streams, whose: str) -> None:
        super().__init__(told, headers=UNBUFFERED)
        self._streams = streams
        self._whose = whose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell until one side ends it."""
        begun = False

        async def tell(message: Message) -> None:
            nonlocal begun
            await send(message)
            begun = True

        with self._streams.one_of(self._whose) as place:
            await super().__call__(scope, receive, tell)
        if place.cancelled_caught and begun:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def live_routes(
    rack: ServedRack,
    presenter: Presenter,
    slots: SlotsByAccessLevel,
    proofs: Proofs,
    catalogue: Catalogue,
    callers: Callers,
    stopping: anyio.Event,
) -> APIRouter:
    """Both show whoever may see only the wall objects of its own."""
    router = APIRouter(prefix="/api/v1")
    desk = QueueDesk(rack.board, catalogue, proofs)
    whole = Frames(presenter, slots.whole, partial(desk.shown, sees_all=True))
    on_wall = Frames(presenter, slots.on_wall, partial(desk.shown, sees_all=False))

    streams = Streams()

    def sees_all(request: Request) -> bool:
        return caller_of(request.scope).access_level >= AccessLevel.READ

    @router.get("/queue")
    @served_to(AccessLevel.WALL)
    async def queue(request: Request) -> QueueObject:
        """What people have to do next, the most urgent first."""
        return desk.shown(await desk.errands(), sees_all=sees_all(request))

    @router.get("/events", response_class=Response, responses=STREAM)
    @served_to(AccessLevel.WALL)
    async def events(request: Request) -> Response:
        """Each slot object, then each one that changes, as server-sent events.

        Ends once the caller may see more or less than at its begin.
        """
        began = caller_of(request.scope).access_level
        frames = whole if sees_all(request) else on_wall
        whose = _whose(request)

        async def told() -> AsyncGenerator[bytes]:
            interval_s = partial(streams.interval_s, whose)
            async for piece in rack_events(rack.board, frames, desk, stopping, interval_s):
                if callers.of(request.scope).access_level != began:
                    break
                yield piece

        return EventStream(told(), streams, whose)

    return router


def _whose(request: Request) -> str:
    """A person's at any screen, else the source's."""
    actor = caller_of(request.scope).actor
    source = machine_of(source_of(request.scope))
    return f"from {source}" if actor is None else f"of {actor.person}"
