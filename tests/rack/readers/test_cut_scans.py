"""A chip whose only residue comes last must not look unused, wherever a look at it is cut off."""

from __future__ import annotations

from contextlib import suppress

import anyio
import pytest
from reader_rack import DEADLINE_S, ReaderRack, chip, reader_rack

from benchd.domain.chip import ChipVerdict
from benchd.domain.errors import ReaderFault
from benchd.lab.simulator.chips import BASELINE
from benchd.lab.simulator.chips.chip_plan import ChipPlan, ReaderFaults

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(240)]

LEFT = ChipPlan(profile="transit_left")


async def until_powered(rack: ReaderRack) -> None:
    with anyio.fail_after(DEADLINE_S):
        while not (await rack.truth(1)).powered:  # noqa: ASYNC110 - pcscd tells nobody here
            await anyio.sleep(0.01)


@pytest.mark.parametrize(
    ("ic_type", "passes"), [("18", 1), pytest.param("18", 2, marks=pytest.mark.nightly), ("14", 1)]
)
async def test_a_chip_that_falls_silent_anywhere_in_a_look_is_never_unused(
    ic_type: str, passes: int
) -> None:
    left = ChipPlan(ic_type=ic_type, profile="transit_left")
    async with reader_rack(chip(1, left), readers=1, baselines=(BASELINE,)) as rack:
        await until_powered(rack)
        assert (await rack.scan(1, passes=passes)).verdict is ChipVerdict.IN_USE
        verdicts = set[ChipVerdict]()
        for cut in range((await rack.truth(1)).exchanges):
            await rack.chips.set_faults(1, ReaderFaults(silent_after=cut))
            with suppress(ReaderFault):
                verdicts.add((await rack.scan(1, passes=passes)).verdict)
        assert ChipVerdict.UNUSED not in verdicts
        assert ChipVerdict.SILENT in verdicts


async def test_neither_one_lost_answer_nor_a_chip_that_leaves_anywhere_makes_a_chip_unused() -> (
    None
):
    both = (chip(1, LEFT), chip(2, ChipPlan()))
    async with reader_rack(*both, readers=2, baselines=(BASELINE,)) as rack:
        await until_powered(rack)
        await rack.scan(1, passes=1)
        length = (await rack.truth(1)).exchanges
        for cut in range(length):
            await rack.chips.set_faults(1, ReaderFaults(silent_after=cut, silent_count=1))
            with suppress(ReaderFault):
                assert (await rack.scan(1, passes=1)).verdict is not ChipVerdict.UNUSED, cut
        for cut in range(0, length, 3):
            await rack.chips.set_faults(1, ReaderFaults(leave_after=cut))
            with suppress(ReaderFault):
                assert (await rack.scan(1, passes=1)).verdict is not ChipVerdict.UNUSED, cut
            if not (await rack.truth(1)).on_reader:
                await rack.chips.lay_back("card-1")
            await until_powered(rack)
        # A cleared one is unused when nothing goes wrong.
        scan = await rack.scan(2)
        assert (scan.verdict, scan.passes) == (ChipVerdict.UNUSED, 2)
        assert scan.baseline == "simulated-cleared v1"
