"""FeliCa chips on readers behind the machine's own pcscd, which polkit lets benchd use."""

from __future__ import annotations

import pytest

from tests.vm.bench import Bench, slot_name
from tests.vm.guest.rackvm.plan import READER_SLOTS

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(600)]


async def test_a_chip_is_cleared_by_a_tool_and_the_tools_word_alone_never_passes(
    bench: Bench,
) -> None:
    kinds = {"used": "felica-in-use", "lies": "felica-clear-lies"}
    slots = dict(zip(kinds, READER_SLOTS, strict=False))
    await bench.fill_table(kinds)
    await bench.start_service()
    ends = await bench.run_to_the_end(slots)
    used, lies = ends["used"], ends["lies"]
    assert used.outcome == "passed", used
    assert used.statement is not None
    felica = used.statement["predicate"]["felica"]
    said = {key: felica[key] for key in ("source", "check", "clear", "recheck")}
    assert said == {"source": "reader", "check": "in_use", "clear": "done", "recheck": "unused"}
    # The tool ran inside the service's sandbox, as benchd's own user.
    assert (lies.outcome, lies.disposition, lies.reason) == ("failed", "destroy", "felica_residue")
    assert lies.statement is None


@pytest.mark.slow
async def test_a_reader_that_is_gone_is_waited_for(bench: Bench) -> None:
    await bench.fill_table({"one": "ext4"})
    await bench.start_service()
    slot = READER_SLOTS[0]
    await bench.shell("systemctl stop pcscd.socket pcscd")
    try:
        async with bench.operating():
            await bench.plug({"one": slot})
            await bench.until_problem(slot_name(slot), "reader_gone")
            await bench.shell("systemctl start pcscd.socket")
            ends = await bench.ends({"one": slot})
    finally:
        await bench.shell("systemctl start pcscd.socket")
    assert ends["one"].outcome == "passed", ends
