"""A centre that listens on loopback, as `benchd fleet run` has it, without its signals."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import anyio
import uvicorn
from starlette.types import ASGIApp

from benchd.fleet.centre_server import server_config
from tests.free_port import free_port


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()

    async def serve_shielded(self) -> None:
        """To its end in good order, whatever becomes of the test."""
        with anyio.CancelScope(shield=True):
            await self.serve()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def served(
    app: ASGIApp, tls: ssl.SSLContext | None = None, port: int | None = None
) -> AsyncGenerator[str]:
    """Its address, as long as it listens."""
    at = port or free_port()
    server = _Server(server_config(app, "127.0.0.1", at, tls))
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve_shielded)
        with anyio.fail_after(20):
            await server.listening.wait()
        try:
            yield f"{'http' if tls is None else 'https'}://127.0.0.1:{at}"
        finally:
            server.should_exit = True
