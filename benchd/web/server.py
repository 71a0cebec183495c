"""The HTTP server inside the daemon: a child of its task group that stops quickly."""

from __future__ import annotations

import socket
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

import anyio
import anyio.lowlevel
import structlog
import uvicorn
from anyio.abc import TaskStatus
from fastapi import FastAPI

from benchd.signing.tls import Tls
from benchd.web.accept_faults import AcceptFaults
from benchd.web.app import stopping_of
from benchd.web.connection_limit import BACKLOG, QUEUE, LimitedConnection
from benchd.web.tls_listener import TlsListener

GRACE_S = 0.25
"""What open requests get to end by themselves; streams end at once, they are told to."""

NOTHING_ENCRYPTED: Mapping[socket.socket, Tls] = MappingProxyType({})

_log = structlog.get_logger()


async def serve(
    app: FastAPI,
    *,
    sockets: Sequence[socket.socket],
    encrypted: Mapping[socket.socket, Tls] = NOTHING_ENCRYPTED,
    stop: anyio.Event,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `stop` is set or the caller cancels, then end within half a second.

    On `encrypted` sockets people are let in over TLS. Started once all sockets are served. The
    sockets listen already and are closed at the end.
    """
    server = _EmbeddedServer(app)
    with AcceptFaults() as faults:
        async with anyio.create_task_group() as group:
            group.start_soon(server.run_guest, sockets)
            await server.listening.wait()
            for listener in sockets:
                # asyncio lets in at once as many as it lets wait: it's two questions.
                listener.listen(QUEUE)
            async with anyio.create_task_group() as doors:
                for listener, tls in encrypted.items():
                    door = TlsListener(listener, tls, server.make_protocol, faults.tell)
                    doors.start_soon(door.run)
                task_status.started()
                try:
                    await stop.wait()
                finally:
                    stopping_of(app).set()
                    server.leave()
                    doors.cancel_scope.cancel()
                    for listener in encrypted:
                        listener.close()


class _EmbeddedServer(uvicorn.Server):
    """uvicorn as a guest: signals belong to the daemon, and open connections don't hold it up."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=LimitedConnection,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,  # nobody may say that a request came from elsewhere
                server_header=False,
                backlog=BACKLOG,
            )
        )
        self.listening = anyio.Event()
        self._leaving = anyio.Event()

    def make_protocol(self) -> LimitedConnection:
        """What speaks on one connection."""
        return LimitedConnection(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    def leave(self) -> None:
        """Begin to end."""
        self.should_exit = True
        self._leaving.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals alone."""
        yield

    async def run_guest(self, sockets: Sequence[socket.socket]) -> None:
        """Serve until told to leave; a cancelled caller still lets it end in good order."""
        with anyio.CancelScope(shield=True):
            await self.serve(sockets=list(sockets))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell when it really listens."""
        await super().startup(sockets=sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        """Wake up once a second, for the Date header, instead of ten times."""
        while not await self.on_tick(0):
            with anyio.move_on_after(1):
                await self._leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests end, but not for longer than the grace."""
        with anyio.move_on_after(GRACE_S) as grace:
            await super().shutdown(sockets=sockets)
        if grace.cancelled_caught:
            left = list(self.server_state.connections)
            _log.warning("connections_cut", count=len(left))
            for connection in left:
                connection.transport.abort()
            await anyio.lowlevel.checkpoint()
