"""On the virtual rack: what comes into a handset in mid-job is read before its last reset."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.lab.demo.demo_rack import DemoRack, demo_rack
from benchd.lab.simulator.plan import DEFAULT_CAPACITY_BYTES
from benchd.lab.simulator.scenarios import SCENARIOS
from benchd.lab.simulator.storage.faults import StorageFaults

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(300)]

SLOW = StorageFaults(write_bytes_per_s=DEFAULT_CAPACITY_BYTES // 8)
CLEAN = SCENARIOS["clean"]


async def until(rack: DemoRack, holds: Callable[[Any], bool], slot: str = "A1") -> Any:  # noqa: ANN401 - JSON
    with anyio.fail_after(150):
        while slot not in rack.watch.slots or not holds(rack.watch.slots[slot]):
            await rack.watch.next_look()
    return rack.watch.slots[slot]


async def put_in_a_card(rack: DemoRack) -> None:
    await rack.hands.set_tray("A1", memory_card=True)


async def sign_in(rack: DemoRack) -> None:
    await rack.hands.sign_in("A1")


@pytest.mark.parametrize(
    ("change", "reason"), [(put_in_a_card, "removable_media"), (sign_in, "locked")]
)
async def test_row_7_what_comes_in_during_the_overwrite_ends_the_job_before_the_last_reset(
    change: Callable[[DemoRack], Awaitable[None]], reason: str, tmp_path: Path
) -> None:
    slow = replace(CLEAN, plan=replace(CLEAN.plan, faults=SLOW))
    async with (
        demo_rack(tmp_path, [slow], port=8420) as rack,
        anyio.create_task_group() as group,
    ):
        await rack.start_daemon()
        group.start_soon(rack.operators().work)
        await until(rack, lambda slot: slot["stage"] == "overwrite" and (slot["progress"] or 0) > 0)
        await change(rack)
        ended = await until(rack, lambda slot: slot["state"] == "finished")
        assert (ended["disposition"], ended["reason"]) == ("hold", reason)
        assert ended["stage"] == "final_reset"
        job = await rack.watch.job(str(ended["job"]))
        told: Any = job["decisions"]
        assert "final_reset" not in [decision["gate"] for decision in told]
        assert (await rack.hands.handset("A1")).reset_count == 0
        group.cancel_scope.cancel()


async def test_row_8_a_sim_waits_on_the_tile_and_its_job_goes_on_once_it_is_out(
    tmp_path: Path,
) -> None:
    with_sim = replace(CLEAN, plan=replace(CLEAN.plan, sim=True))
    async with (
        demo_rack(tmp_path, [with_sim], port=8420) as rack,
        anyio.create_task_group() as group,
    ):
        await rack.start_daemon()
        group.start_soon(rack.operators().work)
        waiting = await until(rack, lambda slot: slot["problem"] is not None)
        assert waiting["problem"]["code"] == "sim_present"
        assert waiting["question"] is None
        await rack.hands.set_tray("A1")
        ended = await until(rack, lambda slot: slot["state"] == "finished")
        assert ended["disposition"] == "sellable"
        group.cancel_scope.cancel()
