"""A chip whose only residue comes last must not look unused, wherever a look at it is cut off."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import anyio
import pytest

from benchd.devices.felica.chip_access import PcscChipAccess
from benchd.devices.felica.reader_settings import FelicaSettings
from benchd.domain.chip import ChipScan, ChipVerdict
from benchd.domain.errors import ReaderFault
from benchd.domain.ids import SlotName
from benchd.lab.simulator.chips import BASELINE
from benchd.lab.simulator.chips.chip_hands import ChipHands
from benchd.lab.simulator.chips.chip_plan import CardPlan, ChipPlan, ReaderFaults
from benchd.lab.simulator.hands import RackHands
from benchd.lab.simulator.plan import RackPlan
from benchd.lab.simulator.virtual_house import RackHouse

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(240)]

SLOT = SlotName("A1")


@dataclass(kw_only=True)
class Looked:
    chips: ChipHands
    access: PcscChipAccess

    async def scan(self, passes: int) -> ChipScan:
        with anyio.fail_after(60):
            return await self.access.scan(SLOT, passes=passes, power_cycle=True)

    async def exchanges(self) -> int:
        return (await self.chips.state("card")).exchanges


@asynccontextmanager
async def chip_on_reader(plan: ChipPlan) -> AsyncGenerator[Looked, None]:
    rack = RackPlan(handsets=(), readers=1, cards=(CardPlan(name="card", slot=1, chip=plan),))
    async with (
        RackHouse(rack) as house,
        RackHands.connect(house.control_socket) as hands,
        anyio.create_task_group() as tasks,
    ):
        reader = house.readers[1]
        settings = FelicaSettings(
            readers={SLOT: reader.name}, pcscd=(reader.socket,), baselines=(BASELINE,)
        )
        access = PcscChipAccess(settings, salt=bytes(32), clock=time.monotonic)
        await tasks.start(access.run)
        with anyio.fail_after(60):
            await access.until_there(SLOT)
            while not (await hands.chips.state("card")).powered:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        yield Looked(chips=hands.chips, access=access)
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("ic_type", "passes"), [("18", 1), pytest.param("18", 2, marks=pytest.mark.nightly), ("14", 1)]
)
async def test_a_chip_that_falls_silent_anywhere_in_a_look_is_never_unused(
    ic_type: str, passes: int
) -> None:
    async with chip_on_reader(ChipPlan(ic_type=ic_type, profile="transit_left")) as looked:
        whole = await looked.scan(passes)
        assert whole.verdict is ChipVerdict.IN_USE
        length = await looked.exchanges()
        verdicts = set[ChipVerdict]()
        for cut in range(length):
            await looked.chips.set_faults(1, ReaderFaults(silent_after=cut))
            try:
                verdicts.add((await looked.scan(passes)).verdict)
            except ReaderFault:
                continue
        assert ChipVerdict.UNUSED not in verdicts
        assert ChipVerdict.SILENT in verdicts


async def test_one_lost_answer_anywhere_in_a_look_makes_no_chip_unused() -> None:
    async with chip_on_reader(ChipPlan(profile="transit_left")) as looked:
        await looked.scan(1)
        for cut in range(await looked.exchanges()):
            await looked.chips.set_faults(1, ReaderFaults(silent_after=cut, silent_count=1))
            with suppress(ReaderFault):
                assert (await looked.scan(1)).verdict is not ChipVerdict.UNUSED, cut


async def test_a_chip_that_leaves_anywhere_in_a_look_is_never_unused() -> None:
    async with chip_on_reader(ChipPlan(profile="transit_left")) as looked:
        await looked.scan(1)
        for cut in range(0, await looked.exchanges(), 3):
            await looked.chips.set_faults(1, ReaderFaults(leave_after=cut))
            with suppress(ReaderFault):
                assert (await looked.scan(1)).verdict is not ChipVerdict.UNUSED
            if not (await looked.chips.state("card")).on_reader:
                await looked.chips.lay_back("card")
            with anyio.fail_after(60):
                while not (await looked.chips.state("card")).powered:  # noqa: ASYNC110
                    await anyio.sleep(0.01)


async def test_a_cleared_chip_is_unused_when_nothing_goes_wrong() -> None:
    async with chip_on_reader(ChipPlan()) as looked:
        scan = await looked.scan(2)
        assert (scan.verdict, scan.passes) == (ChipVerdict.UNUSED, 2)
        assert scan.baseline == "simulated-cleared v1"
