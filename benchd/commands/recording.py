"""Records a handset without the daemon, by the adb server at the configuration's port."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import anyio

from benchd.android.access import AdbAccess
from benchd.android.dossier.preparing import Recording, prepare
from benchd.android.server.external_server import ExternalAdbServer
from benchd.config import Settings
from benchd.errors import BenchdError, DependencyMissing
from benchd.filler import program_path
from benchd.words.dossier import Dossier
from benchd.words.ids import AdbAddress
from benchd.words.port import Liveness

READY_WITHIN_S: Final = 20.0
SERVER_WITHIN_S: Final = 5.0


def record_at(settings: Settings, address: str) -> Dossier:
    """The dossier of the handset at this address.

    The server is the rack's own, whoever has started it: two on one USB port take the handset
    from each other. DependencyMissing where none answers, or where no handset is ready there.
    """
    recording = anyio.run(_record, settings, AdbAddress(address))
    return prepare(recording, taken_at=datetime.now(UTC))


async def _record(settings: Settings, address: AdbAddress) -> Recording:
    server = ExternalAdbServer(
        port=settings.adb.port, start_within_s=SERVER_WITHIN_S, trusted=_owners(settings)
    )
    access = AdbAccess(server=server, program_path=program_path)
    done: list[Recording] = []
    failures: list[BenchdError] = []
    async with anyio.create_task_group() as tasks:

        async def work() -> None:
            try:
                await tasks.start(server.run)
                await tasks.start(access.run)
                await _until_ready(access, address)
                done.append(await access.ask_everything(address))
            except BenchdError as failure:
                # Told as it is, not inside the group's.
                failures.append(failure)
            tasks.cancel_scope.cancel()

        tasks.start_soon(work)
    if failures:
        raise failures[0]
    return done[0]


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


def _owners(settings: Settings) -> tuple[int, ...]:
    """Whose server the rack's own is: the user whose folder for it this is."""
    with suppress(OSError):
        return (settings.adb.home.stat().st_uid,)
    return ()
