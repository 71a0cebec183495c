"""Fifty pulled cables: the second fill writes only what wasn't proven, and all of it is proven."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from simulator_rack import MEBIBYTE, one, virtual_rack

from benchd.devices.android.filler import Program
from benchd.devices.android.filler.build import build, host_abi
from benchd.lab.simulator.storage.faults import StorageFaults

pytestmark = [pytest.mark.rack, pytest.mark.nightly, pytest.mark.asyncio]

UNPLUGS = 50
PROBE_BYTES = 4096
"""What the program writes to find out about O_DIRECT."""


@pytest.mark.timeout(300)
async def test_fifty_unplugs(tmp_path: Path) -> None:
    for program in Program:
        build(host_abi(), program)
    plan = replace(
        one("clean"),
        capacity_bytes=24 * MEBIBYTE,
        faults=StorageFaults(write_bytes_per_s=150 * MEBIBYTE),
    )
    async with virtual_rack(tmp_path, plan, server=False) as rack:
        program = str(Path(__file__).with_name("resuming_side.py"))
        arguments = [str(tmp_path), str(rack.house.control_socket), plan.name, "1", str(UNPLUGS)]
        done = await anyio.run_process(
            rack.house.command(sys.executable, program, *arguments), stderr=None
        )
    seen = json.loads(done.stdout)
    assert len(seen) == UNPLUGS
    for trial in seen:
        assert trial["proven"] == trial["bytes"]
        new = trial["bytes"] - trial["resumed"]
        assert trial["written"] == new + trial["small"] + PROBE_BYTES
    assert sum(trial["unplugged"] for trial in seen) > UNPLUGS * 0.8
    assert sum(trial["resumed"] > 0 for trial in seen) > UNPLUGS * 0.6
    assert len({trial["resumed"] for trial in seen}) > 6
