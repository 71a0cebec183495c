"""The centre as a service: over TLS to whoever shows a certificate it knows, or on loopback."""

from __future__ import annotations

import gc
import os
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import anyio
import structlog
import uvicorn
from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.types import ASGIApp

from benchd.domain.errors import UsageRefused
from benchd.domain.loopback import is_loopback
from benchd.fleet.centre_app import create_centre_app
from benchd.fleet.client_revocations import ClientRevocations
from benchd.fleet.counted_jobs import job_counting
from benchd.fleet.filed_jobs import job_filing
from benchd.fleet.fleet_database import FleetDatabase, open_database
from benchd.fleet.handset_index import HandsetIndex
from benchd.fleet.handset_questions import HandsetQuestions, add_question_route
from benchd.fleet.joined_racks import JoinedRacks
from benchd.fleet.kept_leaves import KeptLeaves
from benchd.fleet.locked_store import LockedStore, StoreTarget
from benchd.fleet.pages_app import create_pages_app
from benchd.fleet.record_intake import RecordIntake
from benchd.observe.notify_socket import Notifier
from benchd.signing.private_key import SigningKey, load_key
from benchd.signing.tls import TlsFiles, make_context

MOST_CONNECTIONS: Final = 512
"""Beyond these a rack hears 503, and comes again later."""
GRACE_S: Final = 5
TICKS_PER_FEED: Final = 20
"""Every two seconds."""
READ_AT_ONCE: Final = 2
"""Threads on which records are read for what they tell of handsets."""

GARBAGE_AFTER: Final = (50_000, 20, 100)
"""New objects before the youngest are looked through, and how often until the older ones are."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreSettings:
    """How the centre is run."""

    database: str
    """As libpq takes it; empty for what its environment says (PGHOST, PGSERVICE …)."""
    key: Path
    host: str
    port: int
    tls: TlsFiles | None
    client_revocations: Path | None = None
    """Which certificates of the racks' authority count no more; None for no such list."""
    pages: tuple[str, int] | None = None
    """Where people look things up and strangers verify certificates; None for nowhere."""
    locked_store: StoreTarget | None = None
    """Where the list of leaves is put; None for nowhere."""
    locked_store_every_s: float = 3600


async def run_centre(
    settings: CentreSettings, listeners: list[socket.socket] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT, on sockets that listen already if there are any.

    Raises UsageRefused, DependencyMissing.
    """
    tls = None if settings.tls is None else mutual_tls(settings.tls)
    if tls is None and not is_loopback(settings.host):
        raise UsageRefused(
            f"beyond this machine records go over TLS alone, and {settings.host} is: give the"
            " centre's certificate, its key and the authority that racks' certificates are of"
        )
    shown = None if settings.tls is None else replace(settings.tls, client_authority=None)
    pages_tls = None if shown is None else make_context(shown)
    if settings.pages is not None and pages_tls is None and not is_loopback(settings.pages[0]):
        raise UsageRefused(
            f"beyond this machine pages go over TLS alone, and {settings.pages[0]} is: give the"
            " centre's certificate and its key"
        )
    revocations = None
    if settings.client_revocations is not None:
        if tls is None:
            raise UsageRefused("without TLS no certificate is shown that could be revoked")
        revocations = ClientRevocations(settings.client_revocations, tls)
    key = load_key(settings.key)
    store = None if settings.locked_store is None else LockedStore(settings.locked_store)
    async with open_database(settings.database) as database, AsyncExitStack() as others:
        app = await open_centre(database, key, _now)
        _keep_garbage_rare()
        _log.info("fleet_serving", port=settings.port)
        server = CentreServer(
            server_config(app, settings.host, settings.port, tls),
            Notifier.of(os.environ),
            revocations,
        )
        if store is not None:
            kept = KeptLeaves(database, key, _now, store, settings.locked_store_every_s)
            await kept.begin()
            await others.enter_async_context(_going_on(kept.run))
        if settings.pages is not None:
            await others.enter_async_context(beside(settings.database, settings.pages, pages_tls))
        await server.serve(sockets=listeners)


@asynccontextmanager
async def _going_on(run: Callable[[], Coroutine[object, object, None]]) -> AsyncGenerator[None]:
    async with anyio.create_task_group() as group:
        group.start_soon(run)
        try:
            yield
        finally:
            group.cancel_scope.cancel()


def _keep_garbage_rare() -> None:
    """Let records come and go without all that lasts being looked through for circles again.

    A batch makes some ten thousand objects, none of which is in one.
    """
    gc.freeze()
    gc.set_threshold(*GARBAGE_AFTER)


class CentreServer(uvicorn.Server):
    """One of which the service manager hears, and that lets nobody go on who was revoked."""

    def __init__(
        self,
        config: uvicorn.Config,
        notifier: Notifier,
        revocations: ClientRevocations | None = None,
    ) -> None:
        super().__init__(config)
        self._notifier = notifier
        self._revocations = revocations

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        if self.started:
            self._notifier.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that it ends, and do."""
        self._notifier.stopping()
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Feed the watchdog: ten times a second uvicorn comes by, as long as the loop turns."""
        if counter % TICKS_PER_FEED == 0:
            self._notifier.alive()
            if self._revocations is not None and self._revocations.renew():
                # Whoever is connected shows its certificate anew.
                for connection in list(self.server_state.connections):
                    connection.shutdown()
        return await super().on_tick(counter)


@asynccontextmanager
async def beside(
    conninfo: str, pages: tuple[str, int], tls: ssl.SSLContext | None
) -> AsyncGenerator[None]:
    """The read side at an address of its own, and what it reads kept up to date.

    It has its own connections to the database: nobody who looks takes one from a rack.
    """
    stopping = anyio.Event()

    async def serve(server: _Beside) -> None:
        with anyio.CancelScope(shield=True):
            await server.serve()

    async with open_database(conninfo) as database, anyio.create_task_group() as group:
        filed, counted = job_filing(database), job_counting(database)
        app = create_pages_app(database, filed, counted, stopping, _now)
        server = _Beside(server_config(app, *pages, tls))
        group.start_soon(filed.run)
        group.start_soon(counted.run)
        group.start_soon(serve, server)
        try:
            yield
        finally:
            stopping.set()
            server.should_exit = True
            group.cancel_scope.cancel()


class _Beside(uvicorn.Server):
    """One that leaves the process's signals to the other."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """None."""
        yield


async def open_centre(
    database: FleetDatabase, key: SigningKey, now: Callable[[], datetime]
) -> FastAPI:
    """The centre's application: all that came in before is noted once it is there."""
    racks, index = JoinedRacks(database), HandsetIndex(CapacityLimiter(READ_AT_ONCE))
    await index.note_older(database)
    app = create_centre_app(racks, RecordIntake(database, key, now, index))
    add_question_route(app, racks, HandsetQuestions(database, key, now, index))
    return app


def mutual_tls(files: TlsFiles) -> ssl.SSLContext:
    """The rules by which nobody is let in who shows no certificate. Raises UsageRefused."""
    if files.client_authority is None:
        raise UsageRefused("who vouches for racks has to be said: --client-authority")
    context = make_context(files)
    context.verify_mode = ssl.CERT_REQUIRED
    # TLS 1.2 resumes a session of before without a look at whether its certificate still counts.
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def server_config(app: ASGIApp, host: str, port: int, tls: ssl.SSLContext | None) -> uvicorn.Config:
    """How it listens."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_S,
        ssl_context_factory=None if tls is None else lambda _, __: tls,
    )


def _now() -> datetime:
    return datetime.now(UTC)
