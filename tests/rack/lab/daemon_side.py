"""A program for inside the rack: the daemon's own adapters look at every handset, as JSON."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import anyio

from benchd.devices.android.adb import AdbAddress
from benchd.devices.android.filler import built_path
from benchd.devices.android.filler.build import host_abi
from benchd.devices.android.handset_access import AdbAccess
from benchd.devices.android.server.own_server import AdbServer
from benchd.domain.evidence_json import to_json
from benchd.domain.port import Liveness
from benchd.observe.command_logs import configure_command_logs


async def main(directory: Path, adb_socket: Path, slots: list[int]) -> None:
    server = AdbServer(
        path=adb_socket, home=directory / "home", log_path=directory / "server.log", usb=False
    )
    access = AdbAccess(
        server=server, program_path=lambda _, program: built_path(host_abi(), program)
    )
    found: dict[int, object] = {}

    async def look(slot: int) -> None:
        address = AdbAddress(f"127.0.0.1:{16000 + slot}")
        async with access.liveness(address) as states:
            async for state in states:
                if state is Liveness.READY:
                    break
        handset = await access.open(address)
        facts = await handset.inspect()
        reset = await handset.reset_facts()
        percent = (await handset.battery()).percent
        again = {"percent_again": percent, **asdict(await handset.nfc_facts())}
        found[slot] = {**again, **to_json(facts), **to_json(reset)}

    async with anyio.create_task_group() as running:
        await running.start(server.run)
        await running.start(access.run)
        async with anyio.create_task_group() as looking:
            for slot in slots:
                looking.start_soon(look, slot)
        running.cancel_scope.cancel()
    sys.stdout.write(json.dumps(found))


# What it says on standard output is its answer.
configure_command_logs()
anyio.run(main, Path(sys.argv[1]), Path(sys.argv[2]), [int(slot) for slot in sys.argv[3:]])
