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
    return json.loads(done.stdout)


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


@pytest.mark.parametrize(
    "faults",
    [
        StorageFaults(lost=0.002, seed=3),
        StorageFaults(torn=0.002, seed=3),
        StorageFaults(repeated=0.002, seed=3),
        StorageFaults(stuck=0.002, seed=3),
    ],
    ids=["lost", "torn", "repeated", "stuck"],
)
async def test_a_chip_that_lies_is_found_out(tmp_path: Path, faults: StorageFaults) -> None:
    (figures,) = (await streamed(tmp_path, handset(1, faults))).values()
    assert figures["bad"] > 0, figures
    assert figures["proven"] < figures["written"]
    assert 0 < figures["listed"] <= figures["bad"]


@pytest.mark.parametrize(
    "faults",
    [StorageFaults(write_error=0.01, seed=3), StorageFaults(read_error=0.01, seed=3)],
    ids=["write", "read"],
)
async def test_a_chip_that_refuses_is_a_storage_fault(
    tmp_path: Path, faults: StorageFaults
) -> None:
    (figures,) = (await streamed(tmp_path, handset(1, faults))).values()
    assert figures["error"] == "StorageFault", figures


async def test_row_4_a_quota_is_not_taken_for_a_full_storage(tmp_path: Path) -> None:
    quota = StorageFaults(quota_after_bytes=DEFAULT_CAPACITY_BYTES // 4)
    (figures,) = (await streamed(tmp_path, handset(1, quota))).values()
    assert figures == {"error": "StageFailed", "detail": ENDED_BY_QUOTA}
