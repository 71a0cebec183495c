"""The streamed overwrite on virtual handsets: whole, several at once, and on chips that lie."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.domain.fill import ENDED_BY_QUOTA
from benchd.lab.simulator.plan import DEFAULT_CAPACITY_BYTES, Dd, HandsetPlan, RackPlan
from benchd.lab.simulator.scenarios import SCENARIOS
from benchd.lab.simulator.storage.faults import StorageFaults
from benchd.lab.simulator.virtual_house import RackHouse

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(120)]

INSIDE = Path(__file__).with_name("streaming_side.py")


def handset(slot: int, faults: StorageFaults | None = None) -> HandsetPlan:
    plan = SCENARIOS["clean"].handset(name=str(slot), slot=slot, copy=slot)
    return replace(plan, runs_programs=False, dd=Dd.DIRECT, faults=faults or StorageFaults())


async def streamed(directory: Path, *handsets: HandsetPlan) -> dict[str, dict[str, Any]]:
    (directory / "home").mkdir()
    slots = [str(plan.slot) for plan in handsets]
    async with RackHouse(RackPlan(handsets=handsets)) as house:
        arguments = [str(directory), str(house.adb_socket), *slots]
        command = house.command(sys.executable, str(INSIDE), *arguments)
        with anyio.fail_after(100):
            done = await anyio.run_process(command)
    told = json.loads(done.stdout)
    return {slot: told[slot] for slot in slots}


async def test_two_at_once_are_overwritten_to_the_last_block_and_proven(tmp_path: Path) -> None:
    told = await streamed(tmp_path, handset(1), handset(2))
    for figures in told.values():
        assert figures["proven"] == figures["written"], figures
        assert figures["bad"] == 0
        assert figures["written"] > 0.85 * figures["capacity"]
        assert figures["free_after"] < 4096
        assert figures["removed"] == figures["files"] > 1
        assert figures["free_dropped"] > 0.85 * figures["capacity"]
        assert figures["progress_grew"]


async def test_row_4_a_chip_that_lies_or_refuses_is_found_out_and_a_quota_is_no_full_storage(
    tmp_path: Path,
) -> None:
    faults = [
        StorageFaults(lost=0.002, seed=3),
        StorageFaults(torn=0.002, seed=3),
        StorageFaults(repeated=0.002, seed=3),
        StorageFaults(stuck=0.002, seed=3),
        StorageFaults(write_error=0.01, seed=3),
        StorageFaults(read_error=0.01, seed=3),
        StorageFaults(quota_after_bytes=DEFAULT_CAPACITY_BYTES // 4),
    ]
    told = await streamed(tmp_path, *(handset(slot, one) for slot, one in enumerate(faults, 1)))
    *spoilt, limited = told.values()
    for fault, figures in zip(faults, spoilt[:4], strict=False):
        assert figures["bad"] > 0, (fault, figures)
        assert figures["proven"] < figures["written"]
        assert 0 < figures["listed"] <= figures["bad"]
    for figures in spoilt[4:]:
        assert figures["error"] == "StorageFault", figures
    assert limited == {"error": "StageFailed", "detail": ENDED_BY_QUOTA}
