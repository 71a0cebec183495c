"""What the slots stand on: the adb server, the readers, the web; up before them, ended after."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio

from benchd.config import Settings
from benchd.daemon.http_listener import callers_of
from benchd.daemon.rack_dossiers import RackDossiers
from benchd.devices.android.filler import program_path
from benchd.devices.android.handset_access import AdbAccess
from benchd.devices.android.server.external_server import ExternalAdbServer
from benchd.devices.android.server.own_server import AdbServer
from benchd.devices.felica.chip_access import PcscChipAccess
from benchd.observe.announcing_ledger import bulkhead
from benchd.observe.loop_lag import measure_loop_lag
from benchd.observe.metrics import RackMetrics
from benchd.signing.tls import Tls
from benchd.slots.slot_dependencies import NoReaders
from benchd.texts.catalogue import Catalogue
from benchd.web.app import create_app
from benchd.web.dashboard import Addition
from benchd.web.server import serve
from benchd.web.service import ServedRack
from benchd.web.sockets import tcp_listener, unix_listener


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningRack(ServedRack):
    """What the web serves, and what of it only the daemon itself works with."""

    dossiers: RackDossiers
    metrics: RackMetrics
    tls: Tls | None


@asynccontextmanager
async def services(
    settings: Settings,
    rack: RunningRack,
    chips: NoReaders | PcscChipAccess,
    *,
    usb: bool,
    listener: socket.socket | None,
    addition: Addition | None = None,
) -> AsyncGenerator[AdbAccess, None]:
    """What the slots stand on, up before they begin and ended after them."""
    stop_serving = anyio.Event()
    adb = _adb_server(settings, usb=usb)
    access = AdbAccess(
        server=adb,
        program_path=program_path,
        streams_per_bus=settings.adb.streams_per_bus,
        shelf=rack.dossiers.shelf,
    )
    rack.metrics.read_from(
        views=rack.board.views,
        adb_up=lambda: adb.up,
        adb_starts=lambda: adb.generation,
        open_items=lambda: rack.records.open_items,
        helpers={"adb_server": lambda: adb.up},
    )
    rack.metrics.expiry.tls = lambda: rack.tls.lives if rack.tls is not None else None
    rack.metrics.expiry.tokens = lambda: rack.tokens.all
    listen = settings.http.listen
    app = create_app(
        rack,
        Catalogue.load(),
        callers=callers_of(
            settings.http,
            rack.tls,
            sessions=rack.sessions,
            of_uid=settings.people.of_uid,
            name_of=rack.people.acting_name,
        ),
        allowed_hosts=settings.http.hosts,
        addition=addition,
    )
    async with AsyncExitStack() as stack:
        unix = stack.enter_context(unix_listener(settings.http.socket))
        tcp = listener or stack.enter_context(tcp_listener(listen.host, listen.port))
        plain, encrypted = ([unix], {tcp: rack.tls}) if rack.tls else ([unix, tcp], {})
        running = await stack.enter_async_context(anyio.create_task_group())
        await running.start(adb.run)
        await running.start(access.run)
        if isinstance(chips, PcscChipAccess):
            rack.metrics.read_from(
                readers=settings.felica.readers,
                readers_up=chips.readers_seen,
                helpers={"reader_worker": chips.workers_answer},
            )
            await running.start(chips.run)
        lagged = bulkhead(rack.metrics.loop_lagged, rack.metrics.fault)
        running.start_soon(measure_loop_lag, lagged, time.monotonic)
        await running.start(
            partial(serve, app, sockets=plain, encrypted=encrypted, stop=stop_serving)
        )
        try:
            yield access
        finally:
            stop_serving.set()
            running.cancel_scope.cancel()


def _adb_server(settings: Settings, *, usb: bool) -> AdbServer | ExternalAdbServer:
    if settings.adb.server == "external":
        return ExternalAdbServer(path=settings.adb.server_socket)
    return AdbServer(
        path=settings.adb.server_socket,
        home=settings.adb.home,
        log_path=settings.adb.home / "adb.log",
        adb_path=settings.adb.path,
        usb=usb,
    )
