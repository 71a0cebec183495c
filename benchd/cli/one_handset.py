"""One handset without the daemon, by the adb server on the configuration's socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import anyio

from benchd.cli.messages import error_of
from benchd.config import Settings
from benchd.devices.android.adb import AdbAddress
from benchd.devices.android.filler import program_path
from benchd.devices.android.handset_access import AdbAccess
from benchd.devices.android.server.external_server import ExternalAdbServer
from benchd.domain.errors import BenchdError, DependencyMissing, NotFound
from benchd.domain.ids import SlotName
from benchd.domain.port import Attached, Liveness
from benchd.domain.ports import HotplugSource

READY_WITHIN_S: Final = 20.0
SERVER_WITHIN_S: Final = 5.0
PLUGGED_WITHIN_S: Final = 5.0

T = TypeVar("T")


def ask_one(
    settings: Settings, address: AdbAddress, ask: Callable[[AdbAccess, AdbAddress], Awaitable[T]]
) -> T:
    """What the handset at this address answers.

    The server is the rack's own, whoever has started it: two on one USB port take the handset
    from each other. DependencyMissing where none answers, or where no handset is ready there.
    """
    return anyio.run(_ask_one, settings, address, ask)


async def _ask_one(
    settings: Settings, address: AdbAddress, ask: Callable[[AdbAccess, AdbAddress], Awaitable[T]]
) -> T:
    server = ExternalAdbServer(path=settings.adb.server_socket, start_within_s=SERVER_WITHIN_S)
    access = AdbAccess(server=server, program_path=program_path)
    told: list[T] = []
    failures: list[BenchdError] = []

    async def work() -> None:
        try:
            await tasks.start(server.run)
            await tasks.start(access.run)
            await _until_ready(access, address)
            told.append(await ask(access, address))
        except BenchdError as failure:
            # Told as it is, not inside the group's.
            failures.append(failure)
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
    if failures:
        raise failures[0]
    return told[0]


async def _until_ready(access: AdbAccess, address: AdbAddress) -> None:
    found = Liveness.ABSENT
    with anyio.move_on_after(READY_WITHIN_S):
        async with access.liveness(address) as states:
            async for found in states:
                if found is Liveness.READY:
                    return
    raise DependencyMissing(
        f"the handset at {address} is {found}",
        cure="plug it in, switch USB debugging on and allow this computer on its screen",
    )


async def address_of(settings: Settings, slot: str, hotplug: HotplugSource) -> AdbAddress:
    """How adb names what is plugged into this slot; NotFound for no slot, or an empty one."""
    place = settings.topology.places.get(SlotName(slot))
    if place is None:
        raise error_of(NotFound, "say.no_slot", slot=slot)
    with anyio.move_on_after(PLUGGED_WITHIN_S):
        async with hotplug.events() as events:
            async for event in events:
                if isinstance(event, Attached) and event.port_path == place.port_path:
                    return event.address
    raise error_of(NotFound, "say.slot_empty", slot=slot)
