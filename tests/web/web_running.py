"""The application under test, reached in memory or on real sockets."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
from fastapi import FastAPI

from benchd.signing.tls import Tls
from benchd.web.access_level import AccessLevel
from benchd.web.server import serve
from benchd.web.sockets import tcp_listener, unix_listener
from tests.patience import PATIENCE_S
from tests.web.fake_sessions import WORKER, believing, screen_of

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody; without one each client would read every authority there is."""

SEES_ALL = believing(AccessLevel.READ)
"""Everything is shown without signing in, and every cookie is believed."""


@asynccontextmanager
async def browser(app: FastAPI) -> AsyncGenerator[httpx2.AsyncClient]:
    """Requests straight into the application, as if they came over TCP."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:8420", headers=screen_of(WORKER)
    ) as client:
        yield client


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server with both its sockets."""

    path: Path
    port: int
    stop: anyio.Event
    ended: anyio.Event

    def over_unix(self) -> httpx2.AsyncClient:
        transport = httpx2.AsyncHTTPTransport(uds=str(self.path), verify=NO_TLS)
        return httpx2.AsyncClient(transport=transport, base_url="http://benchd", timeout=PATIENCE_S)

    def over_tls(self, context: ssl.SSLContext) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=f"https://127.0.0.1:{self.port}",
            verify=context,
            trust_env=False,
            headers=screen_of(WORKER),
            timeout=PATIENCE_S,
        )

    def over_tcp(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}",
            verify=NO_TLS,
            trust_env=False,
            headers=screen_of(WORKER),
            timeout=PATIENCE_S,
        )


@asynccontextmanager
async def running(
    app: FastAPI, path: Path, port: int = 0, *, tls: Tls | None = None
) -> AsyncGenerator[Running]:
    """A real uvicorn on a Unix socket and a TCP port, the latter with TLS if there is any."""
    with unix_listener(path) as unix, tcp_listener("127.0.0.1", port) as tcp:
        port = tcp.getsockname()[1]
        started = Running(path=path, port=port, stop=anyio.Event(), ended=anyio.Event())

        plain, encrypted = ([unix], {tcp: tls}) if tls else ([unix, tcp], {})

        async def run(*, task_status: anyio.abc.TaskStatus[None]) -> None:
            with suppress(anyio.get_cancelled_exc_class()):
                await serve(
                    app,
                    sockets=plain,
                    encrypted=encrypted,
                    stop=started.stop,
                    task_status=task_status,
                )
            started.ended.set()

        async with anyio.create_task_group() as group:
            await group.start(run)
            yield started
            started.stop.set()


async def got(visit: Browser, path: str) -> Any:  # noqa: ANN401 - whatever JSON there is
    async with visit() as client:
        return (await client.get(path)).json()


Browser = Callable[[], AbstractAsyncContextManager[httpx2.AsyncClient]]
Server = Callable[[], AbstractAsyncContextManager[Running]]
