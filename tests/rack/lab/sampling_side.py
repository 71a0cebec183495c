"""A program for inside the rack: the host's samples of a handset that leaves, and whose chip lies.

Usage: sampling_side.py DIRECTORY CONTROL_SOCKET HANDSET SLOT. Prints as one JSON object, of each
look, which of its samples were what the key says, and the fault that it ended with.
"""

import json
import sys
from pathlib import Path

import anyio
from anyio.abc import TaskGroup
from resuming_side import inside, nothing, opened, until_gone

from benchd.devices.android.fill.keystream import HostKeystream
from benchd.devices.android.handset_access import AdbAccess, AdbHandset
from benchd.domain.errors import BenchdError
from benchd.domain.fill import FillOrder, FillReport
from benchd.lab.simulator.hands import RackHands
from benchd.lab.simulator.storage.faults import StorageFaults
from benchd.observe.command_logs import configure_command_logs
from benchd.pipelines.read_back_samples import host_places

SAMPLES = 64
PULLED_AT = 20


class Looks:
    """One handset, its fill, and the hands that pull its cable."""

    def __init__(
        self, access: AdbAccess, hands: RackHands, name: str, slot: int, pulling: TaskGroup
    ) -> None:
        self._access = access
        self._hands = hands
        self._name = name
        self._slot = slot
        self._pulling = pulling

    async def run(self) -> dict[str, object]:
        """A cable that is out in the midst of a sample, all anew, and a chip that drops writes."""
        handset = await opened(self._access, self._slot)
        order, report = await self._filled(handset, 1)
        cut = await self._looked(handset, order, report, pulled_at=PULLED_AT)
        await handset.aclose()
        # Till the server's list says so, the transport that has ended is the one to be opened.
        await until_gone(self._access, self._slot)
        await self._hands.set_faults(self._name, StorageFaults())
        await self._hands.plug(self._name, self._slot)
        handset = await opened(self._access, self._slot)
        whole = await self._looked(handset, order, report)
        await handset.drop()
        await self._hands.set_faults(self._name, StorageFaults(lost=0.2, seed=7))
        order, report = await self._filled(handset, 2)
        return {"cut": cut, "whole": whole, "lost": await self._looked(handset, order, report)}

    async def _filled(self, handset: AdbHandset, key: int) -> tuple[FillOrder, FillReport]:
        order = FillOrder(
            key=key.to_bytes(16, "big"), file_bytes=4 << 20, stall_s=30, headroom_bytes=2 << 20
        )
        return order, await handset.fill(order, nothing)

    async def _looked(
        self, handset: AdbHandset, order: FillOrder, report: FillReport, *, pulled_at: int = -1
    ) -> dict[str, object]:
        right: list[bool] = []
        fault = ""
        stream = HostKeystream()
        try:
            async with handset.samples() as samples:
                for place in host_places(report.files, SAMPLES, order.key):
                    if len(right) == pulled_at:
                        await self._pull_while_it_reads()
                    file = report.files[place.file]
                    taken = await samples.take(file.name, place.offset, place.size_bytes)
                    at = file.stream_offset + place.offset
                    wanted = stream(report.cipher, order.key, at, place.size_bytes)
                    right.append(taken.data == wanted)
        except BenchdError as ended:
            fault = type(ended).__name__
        return {"right": right, "fault": fault}

    async def _pull_while_it_reads(self) -> None:
        await self._hands.set_faults(self._name, StorageFaults(stalled=True))
        self._pulling.start_soon(self._hands.unplug, self._name)


async def main(directory: Path, control: Path, name: str, slot: int) -> None:
    async with inside(directory, control) as (access, hands), anyio.create_task_group() as pulling:
        looks = Looks(access, hands, name, slot, pulling)
        sys.stdout.write(json.dumps(await looks.run()))


if __name__ == "__main__":
    # What it says on standard output is its answer.
    configure_command_logs()
    anyio.run(main, Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
