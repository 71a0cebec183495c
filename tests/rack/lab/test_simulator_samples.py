"""The host's fills and samples of a virtual handset whose cable is pulled, and whose chip lies."""

from dataclasses import replace
from pathlib import Path

import pytest
from simulator_rack import MEBIBYTE, one, virtual_rack

from benchd.devices.android.filler import Program
from benchd.devices.android.filler.build import build, host_abi
from benchd.lab.simulator.storage.faults import StorageFaults

pytestmark = [pytest.mark.rack, pytest.mark.asyncio]

UNPLUGS = 50
PROBE_BYTES = 4096
"""What the program writes to find out about O_DIRECT."""


@pytest.fixture(autouse=True)
def built() -> None:
    for program in Program:
        build(host_abi(), program)


async def test_samples_of_a_cut_look_are_taken_anew_and_a_dropped_write_shows(
    tmp_path: Path,
) -> None:
    plan = replace(one("clean"), capacity_bytes=24 * MEBIBYTE)
    async with virtual_rack(tmp_path, plan, server=False) as rack:
        place = (tmp_path, rack.house.control_socket, plan.name, 1)
        seen = await rack.run_inside("sampling_side.py", *place)
    assert seen["cut"] == {"right": [True] * 20, "fault": "HandsetGone"}
    assert seen["whole"]["fault"] == seen["lost"]["fault"] == ""
    # The first block and the last beside those that are drawn.
    assert 64 <= len(seen["whole"]["right"]) <= 66
    assert all(seen["whole"]["right"])
    # The drops are in the medium: each sample came from there, and not from what was meant.
    assert 0 < seen["lost"]["right"].count(False) < 64


@pytest.mark.nightly
@pytest.mark.timeout(300)
async def test_after_fifty_unplugs_a_second_fill_writes_only_what_was_not_proven(
    tmp_path: Path,
) -> None:
    plan = replace(
        one("clean"),
        capacity_bytes=24 * MEBIBYTE,
        faults=StorageFaults(write_bytes_per_s=150 * MEBIBYTE),
    )
    async with virtual_rack(tmp_path, plan, server=False) as rack:
        place = (tmp_path, rack.house.control_socket, plan.name, 1)
        seen = await rack.run_inside("resuming_side.py", *place, UNPLUGS)
    assert len(seen) == UNPLUGS
    for trial in seen:
        assert trial["proven"] == trial["bytes"]
        new = trial["bytes"] - trial["resumed"]
        assert trial["written"] == new + trial["small"] + PROBE_BYTES
    assert sum(trial["unplugged"] for trial in seen) > UNPLUGS * 0.8
    assert sum(trial["resumed"] > 0 for trial in seen) > UNPLUGS * 0.6
    assert len({trial["resumed"] for trial in seen}) > 6
