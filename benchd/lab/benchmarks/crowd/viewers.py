"""Screens at the event stream: they read all that comes and show nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from benchd.lab.demo.demo_operators import over_socket

EVENTS = "/api/v1/events"


class Viewers:
    """So many at once; `received_bytes` is what came to all of them."""

    def __init__(self) -> None:
        self.received_bytes = 0

    @classmethod
    @asynccontextmanager
    async def at(cls, socket: Path, count: int) -> AsyncGenerator[Viewers, None]:
        """They look for the length of the block."""
        viewers = cls()
        async with anyio.create_task_group() as tasks:
            for _ in range(count):
                tasks.start_soon(viewers.look, socket)
            yield viewers
            tasks.cancel_scope.cancel()

    async def look(self, socket: Path) -> None:
        """One of them, until it's cancelled or the daemon ends the stream."""
        async with over_socket(socket) as http, http.stream("GET", EVENTS, timeout=None) as answer:
            async for piece in answer.aiter_raw():
                self.received_bytes += len(piece)
