"""Storage that fails, drops writes or is slow, below a real file system (device-mapper)."""

from __future__ import annotations

import pytest

from tests.vm.rig import Rig

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(900)]


@pytest.mark.nightly
async def test_failing_and_forgetful_storage_never_passes_and_slow_storage_does(
    rig: Rig,
) -> None:
    kinds = {"fails": "fails", "drops": "drops-writes", "slow": "slow", "good": "ext4"}
    slots = await rig.fill_table(kinds)
    await rig.start_service()
    ends = await rig.run_to_the_end(slots, within_s=800)
    for name in ("fails", "drops"):
        ends[name].must_not_pass("destroy", "storage_fault")
    assert [ends[name].outcome for name in ("slow", "good")] == ["passed", "passed"], ends


@pytest.mark.nightly
async def test_thousands_of_small_files_on_slow_storage_are_no_stall(rig: Rig) -> None:
    await rig.fill_table({"slow": "slow-f2fs"})
    await rig.start_service()
    end = (await rig.run_to_the_end({"slow": 1}, within_s=800))["slow"]
    assert end.outcome == "passed", end


@pytest.mark.nightly
async def test_storage_that_begins_to_drop_writes_in_mid_fill_never_passes(rig: Rig) -> None:
    await rig.fill_table({"one": "ext4", "two": "clean"})
    await rig.start_service()
    async with rig.operating():
        await rig.plug({"one": 1, "two": 2})
        for slot, handset in (("S01", "one"), ("S02", "two")):
            await rig.until_slot(slot, "overwrite", "read_back", "felica_recheck")
            await rig.rack("chip", handsets=[handset], chip="drops_writes")
        ends = await rig.ends({"one": 1, "two": 2})
    for name, end in ends.items():
        # A switch that came after the last byte was written changes nothing that is on the chip.
        assert end.outcome in ("failed", "passed"), (name, end)
        if end.outcome == "passed":
            assert not await rig.residue(name)
