"""A program for inside the rack: fills a handset whose cable is pulled, and fills it again.

Usage: resuming_side.py DIRECTORY CONTROL_SOCKET HANDSET SLOT UNPLUGS. Prints what each of the
unplugs led to as one JSON list.
"""

import json
import random
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio

from benchd.devices.android.adb import AdbAddress
from benchd.devices.android.fill.keystream import HostKeystream
from benchd.devices.android.filler import built_path
from benchd.devices.android.filler.build import host_abi
from benchd.devices.android.handset_access import AdbAccess, AdbHandset
from benchd.devices.android.server.own_server import AdbServer
from benchd.domain.errors import HandsetGone
from benchd.domain.fill import CheckOrder, FillOrder, FillReport, TransferProgress
from benchd.domain.port import Liveness
from benchd.lab.simulator.addresses import ADB_SOCKET
from benchd.lab.simulator.hands import HandsetState, RackHands
from benchd.observe.command_logs import configure_command_logs
from benchd.pipelines.read_back_samples import host_places

FILE_BYTES = 4 << 20
HEADROOM_BYTES = 2 << 20


def address_of(slot: int) -> AdbAddress:
    return AdbAddress(f"127.0.0.1:{16000 + slot}")


async def until_gone(access: AdbAccess, slot: int) -> None:
    async with access.liveness(address_of(slot)) as states:
        async for state in states:
            if state is not Liveness.READY:
                return


async def opened(access: AdbAccess, slot: int) -> AdbHandset:
    address = address_of(slot)
    async with access.liveness(address) as states:
        async for state in states:
            if state is Liveness.READY:
                break
    handset = await access.open(address)
    assert isinstance(handset, AdbHandset)
    return handset


def nothing(_: TransferProgress) -> None:
    """Nobody looks."""


class Trials:
    """One handset, its slot, and the hands that pull its cable."""

    def __init__(self, access: AdbAccess, hands: RackHands, name: str, slot: int) -> None:
        self._access = access
        self._hands = hands
        self._name = name
        self._slot = slot

    async def run(self, number: int, chooser: random.Random) -> dict[str, object]:
        key = number.to_bytes(16, "big")
        order = FillOrder(key=key, file_bytes=FILE_BYTES, stall_s=30, headroom_bytes=HEADROOM_BYTES)
        before = await self._with_room()
        moment = before.fill_bytes + chooser.randrange(before.available_bytes)
        handset = await opened(self._access, self._slot)
        unplugged = await self._fill_and_pull(handset, order, moment)
        await handset.aclose()
        if unplugged:
            await self._hands.plug(self._name, self._slot)
        handset = await opened(self._access, self._slot)
        # Waits for the first program, which outlives its cable by what it's just writing.
        await handset.drop(only_tail=True)
        before = await self._hands.handset(self._name)
        again = FillOrder(
            key=key,
            file_bytes=FILE_BYTES,
            stall_s=30,
            headroom_bytes=HEADROOM_BYTES,
            resume=True,
        )
        report = await handset.fill(again, nothing)
        after = await self._hands.handset(self._name)
        proven = await self._prove(handset, again, report)
        await handset.drop()
        await handset.aclose()
        return {
            "unplugged": unplugged,
            "resumed": report.resumed_bytes,
            "bytes": report.bytes_written,
            "written": after.fill_bytes - before.fill_bytes,
            "small": report.small_bytes,
            "proven": proven,
        }

    async def _with_room(self) -> HandsetState:
        """The handset once its volume has freed what the trial before has dropped."""
        with anyio.fail_after(60):
            while not (now := await self._hands.handset(self._name)).available_bytes:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        return now

    async def _fill_and_pull(self, handset: AdbHandset, order: FillOrder, moment: int) -> bool:
        async with anyio.create_task_group() as pulling:
            pulling.start_soon(self._pull_at, moment)
            with suppress(HandsetGone):
                await handset.fill(order, nothing)
            pulling.cancel_scope.cancel()
        # It may have been pulled just when the fill was done.
        return (await self._hands.handset(self._name)).slot is None

    async def _pull_at(self, moment: int) -> None:
        while (await self._hands.handset(self._name)).fill_bytes < moment:  # noqa: ASYNC110
            await anyio.sleep(0.001)
        with anyio.CancelScope(shield=True):
            await self._hands.unplug(self._name)

    async def _prove(self, handset: AdbHandset, fill: FillOrder, report: FillReport) -> int:
        order = CheckOrder(
            fill=fill,
            cipher=report.cipher,
            files=report.files,
            small_files=report.small_files,
        )
        checked = await handset.check(order, nothing)
        assert checked.bytes_bad == 0
        assert checked.small_same == report.small_files
        stream = HostKeystream()
        async with handset.samples() as samples:
            for place in host_places(report.files, 2, fill.key):
                file = report.files[place.file]
                sample = await samples.take(file.name, place.offset, place.size_bytes)
                at = file.stream_offset + place.offset
                assert sample.data == stream(report.cipher, fill.key, at, place.size_bytes)
                assert sample.past_cache == "eviction_seen"
        return checked.bytes_proven


@asynccontextmanager
async def inside(directory: Path, control: Path) -> AsyncGenerator[tuple[AdbAccess, RackHands]]:
    """An adb server and the access to it, in the rack's own network, and the hands on it."""
    server = AdbServer(
        path=control.with_name(ADB_SOCKET),
        home=directory / "home",
        log_path=directory / "server.log",
        usb=False,
    )
    access = AdbAccess(
        server=server, program_path=lambda _, program: built_path(host_abi(), program)
    )
    async with RackHands.connect(control) as hands, anyio.create_task_group() as running:
        await running.start(server.run)
        await running.start(access.run)
        yield access, hands
        running.cancel_scope.cancel()


async def main(directory: Path, control: Path, name: str, slot: int, unplugs: int) -> None:
    chooser = random.Random(3)
    async with inside(directory, control) as (access, hands):
        trials = Trials(access, hands, name, slot)
        seen = [await trials.run(number + 1, chooser) for number in range(unplugs)]
        sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    # What it says on standard output is its answer.
    configure_command_logs()
    anyio.run(
        main, Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    )
