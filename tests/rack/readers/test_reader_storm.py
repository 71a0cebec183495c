"""Everything breaks at random while all readers scan: no chip in use is ever found unused."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Awaitable, Callable

import anyio
import pytest
from reader_rack import ReaderRack, card, reader_rack, slot_name

from benchd.domain.chip import ChipVerdict
from benchd.domain.errors import ReaderFault, ReaderGone
from benchd.lab.simulator.chips.chip_plan import ReaderFaults

pytestmark = [pytest.mark.asyncio, pytest.mark.rack, pytest.mark.nightly, pytest.mark.timeout(300)]

SLOTS = range(1, 7)
USED = frozenset({1, 3, 5})
"""The others are cleared: their answers must never be taken for a neighbour's."""
BLOWS = 30
SEED = 20261124


class Storm:
    def __init__(self, rack: ReaderRack, chance: random.Random) -> None:
        self.rack = rack
        self.chance = chance
        self.verdicts: dict[int, list[ChipVerdict]] = {slot: [] for slot in SLOTS}
        self.failures = 0

    async def scan(self, slot: int) -> None:
        """Again and again, like one job after the other."""
        while True:
            try:
                await self.rack.access.until_there(slot_name(slot))
                scan = await self.rack.access.scan(slot_name(slot), passes=2, power_cycle=True)
                self.verdicts[slot].append(scan.verdict)
            except (ReaderFault, ReaderGone):
                self.failures += 1
                await anyio.sleep(0.05)

    async def blow(self) -> None:
        blows: list[Callable[[], Awaitable[None]]] = [
            self.lift,
            self.lift_in_mid_scan,
            self.lift_in_mid_scan,
            self.hang,
            self.status,
            self.restart_pcscd,
            self.kill_worker,
        ]
        await self.chance.choice(blows)()
        await anyio.sleep(self.chance.random() * 0.3)

    async def lift(self) -> None:
        name = f"card-{self.chance.choice(SLOTS)}"
        if (await self.rack.chips.state(name)).on_reader:
            await self.rack.chips.take_away(name)
            await anyio.sleep(self.chance.random() * 0.5)
            await self.rack.chips.lay_back(name)

    async def lift_in_mid_scan(self) -> None:
        slot = self.chance.choice(SLOTS)
        leave_after = self.chance.randrange(40)
        await self.rack.chips.set_faults(slot, ReaderFaults(leave_after=leave_after))
        await anyio.sleep(0.5)
        await self.mend(slot)

    async def hang(self) -> None:
        slot = self.chance.choice(SLOTS)
        await self.rack.chips.set_faults(slot, ReaderFaults(hang=True))
        await anyio.sleep(self.chance.random() * 8)
        await self.mend(slot)

    async def status(self) -> None:
        slot = self.chance.choice(SLOTS)
        word = self.chance.choice(["6300", "6A81", "9000"])
        await self.rack.chips.set_faults(slot, ReaderFaults(status_word=word))
        await anyio.sleep(self.chance.random())
        await self.mend(slot)

    async def restart_pcscd(self) -> None:
        await self.rack.chips.kill_pcscd()
        await anyio.sleep(self.chance.random())
        await self.rack.chips.start_pcscd()

    async def kill_worker(self) -> None:
        pid = self.rack.access._workers[0].pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    async def mend(self, slot: int) -> None:
        await self.rack.chips.set_faults(slot, ReaderFaults())
        if not (await self.rack.truth(slot)).on_reader:
            await self.rack.chips.lay_back(f"card-{slot}")


async def test_a_storm_never_finds_a_chip_in_use_unused_and_leaves_every_reader_well() -> None:
    cards = [card(slot, "in_use" if slot in USED else "cleared") for slot in SLOTS]
    async with reader_rack(*cards, readers=len(SLOTS)) as rack:
        storm = Storm(rack, random.Random(SEED))
        async with anyio.create_task_group() as tasks:
            for slot in SLOTS:
                tasks.start_soon(storm.scan, slot)
            for _ in range(BLOWS):
                await storm.blow()
            for slot in SLOTS:
                await storm.mend(slot)
            before = {slot: len(storm.verdicts[slot]) for slot in SLOTS}
            with anyio.fail_after(90):
                for slot in SLOTS:
                    wanted = ChipVerdict.IN_USE if slot in USED else ChipVerdict.UNUSED
                    while wanted not in storm.verdicts[slot][before[slot] :]:  # noqa: ASYNC110
                        await anyio.sleep(0.1)
            tasks.cancel_scope.cancel()
        for slot in USED:
            assert ChipVerdict.UNUSED not in storm.verdicts[slot]
        for slot in set(SLOTS) - USED:
            assert ChipVerdict.IN_USE not in storm.verdicts[slot]
        assert storm.failures
