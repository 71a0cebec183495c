"""A quota of the handset's own that ends an overwrite: held, and told apart from a full storage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from benchd.lab.demo.demo_operators import SlotObject
from benchd.lab.demo.demo_rack import demo_rack
from benchd.lab.simulator.plan import DEFAULT_CAPACITY_BYTES
from benchd.lab.simulator.scenarios import SCENARIOS
from benchd.lab.simulator.storage.faults import StorageFaults

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(180)]

SHARE = 0.85
"""More than any recipe asks to be proven: coverage alone would let it pass."""


async def test_row_4_a_fill_that_a_quota_ends_is_held(tmp_path: Path) -> None:
    quota = StorageFaults(quota_after_bytes=int(SHARE * DEFAULT_CAPACITY_BYTES))
    clean = SCENARIOS["clean"]
    limited = replace(clean, plan=replace(clean.plan, faults=quota))
    seen: SlotObject = {}
    async with (
        demo_rack(tmp_path, [limited], port=8420) as rack,
        anyio.create_task_group() as group,
    ):
        await rack.start_daemon()
        group.start_soon(rack.operators().work)
        with anyio.fail_after(120):
            while rack.watch.slots["A1"]["state"] != "finished":
                await rack.watch.next_look()
        seen = rack.watch.slots["A1"]
        group.cancel_scope.cancel()
    assert (seen["outcome"], seen["reason"], seen["disposition"]) == (
        "failed",
        "storage_quota",
        "hold",
    )
