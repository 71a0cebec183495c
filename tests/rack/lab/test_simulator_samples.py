"""The host's samples by one shell of a real adb daemon: a cable out, and a chip that lies."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from simulator_rack import MEBIBYTE, one, virtual_rack

from benchd.devices.android.filler import Program
from benchd.devices.android.filler.build import build, host_abi

pytestmark = [pytest.mark.rack, pytest.mark.asyncio]


async def test_samples_of_a_cut_look_are_taken_anew_and_a_dropped_write_shows(
    tmp_path: Path,
) -> None:
    for program in Program:
        build(host_abi(), program)
    plan = replace(one("clean"), capacity_bytes=24 * MEBIBYTE)
    async with virtual_rack(tmp_path, plan, server=False) as rack:
        program = str(Path(__file__).with_name("sampling_side.py"))
        arguments = [str(tmp_path), str(rack.house.control_socket), plan.name, "1"]
        done = await anyio.run_process(
            rack.house.command(sys.executable, program, *arguments), stderr=None
        )
    seen = json.loads(done.stdout)
    assert seen["cut"] == {"right": [True] * 20, "fault": "HandsetGone"}
    assert seen["whole"]["fault"] == seen["lost"]["fault"] == ""
    # The first block and the last beside those that are drawn.
    assert 64 <= len(seen["whole"]["right"]) <= 66
    assert all(seen["whole"]["right"])
    # The drops are in the medium: each sample came from there, and not from what was meant.
    assert 0 < seen["lost"]["right"].count(False) < 64
