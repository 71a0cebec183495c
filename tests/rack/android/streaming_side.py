"""A program for inside the rack: streams an overwrite to each handset, checks it, drops it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import anyio

from benchd.devices.android.adb import AdbAddress
from benchd.devices.android.fill.bus_turns import BusTurns
from benchd.devices.android.fill.host_fill import HostFill
from benchd.devices.android.fill.keystream import HostKeystream
from benchd.devices.android.handset_access import AdbAccess, AdbHandset
from benchd.devices.android.server.own_server import AdbServer
from benchd.domain.errors import BenchdError
from benchd.domain.fill import CheckOrder, FillOrder
from benchd.domain.port import Liveness
from benchd.observe.command_logs import configure_command_logs

ORDER = FillOrder(key=bytes(range(16)), file_bytes=(7 << 20) + 4096, stall_s=20)


async def overwrite(access: AdbAccess, turns: BusTurns, slot: int) -> dict[str, object]:
    address = AdbAddress(f"127.0.0.1:{16000 + slot}")
    async with access.liveness(address) as states:
        async for state in states:
            if state is Liveness.READY:
                break
    handset = await access.open(address)
    assert isinstance(handset, AdbHandset)
    fill = HostFill(handset._shell, HostKeystream(), turns.of(address))
    seen: list[int] = []
    filled = await fill.fill(ORDER, lambda progress: seen.append(progress.bytes_done))
    order = CheckOrder(fill=ORDER, cipher=filled.cipher, files=filled.files)
    checked = await fill.check(order, lambda progress: None)
    dropped = await fill.drop()
    return {
        "written": filled.bytes_written,
        "capacity": filled.capacity_bytes,
        "free_after": filled.free_bytes_after,
        "files": len(filled.files),
        "proven": checked.bytes_proven,
        "bad": checked.bytes_bad,
        "listed": sum(run.size_bytes for run in checked.bad_runs),
        "removed": dropped.files_removed,
        "free_dropped": dropped.free_bytes,
        "progress_grew": seen == sorted(seen) and len(seen) > 1,
    }


async def main(directory: Path, adb_socket: Path, slots: list[int]) -> None:
    server = AdbServer(
        path=adb_socket, home=directory / "home", log_path=directory / "server.log", usb=False
    )
    access = AdbAccess(server=server, program_path=Path)
    found: dict[int, dict[str, object]] = {}
    turns = BusTurns()

    async def run(slot: int) -> None:
        try:
            found[slot] = await overwrite(access, turns, slot)
        except BenchdError as error:
            found[slot] = {"error": type(error).__name__, "detail": str(error)}

    async with anyio.create_task_group() as running:
        await running.start(server.run)
        await running.start(access.run)
        async with anyio.create_task_group() as writing:
            for slot in slots:
                writing.start_soon(run, slot)
        running.cancel_scope.cancel()
    sys.stdout.write(json.dumps(found))


# What it says on standard output is its answer.
configure_command_logs()
anyio.run(main, Path(sys.argv[1]), Path(sys.argv[2]), [int(slot) for slot in sys.argv[3:]])
