"""The shipped recipes that don't erase, run by the real daemon on the virtual rack."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.domain.job import Gate
from benchd.lab.demo.demo_run import until_all_ended
from tests.rack.working import at_work, scenarios

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(240)]

RECIPES = Path(__file__).parents[2] / "configs" / "recipes"
HANDSETS = {
    "account-and-lock": ("assess", ("passed", "hold", "assessed")),
    "unsupported-model": ("assess", ("failed", "hold", "unsupported_model")),
    "adb-disabled": ("recheck", ("passed", "hold", "rechecked")),
    "clean": ("recheck", ("failed", "hold", "not_as_reset")),
    "mdm": ("recycle", ("passed", "destroy", "recycled")),
}


async def test_they_end_as_they_say_and_nothing_becomes_sellable(tmp_path: Path) -> None:
    jobs: dict[str, Any] = {}
    resets: list[int] = []
    async with (
        at_work(tmp_path, scenarios(list(HANDSETS)), started=False) as rack,
        anyio.create_task_group() as group,
    ):
        config = rack.folder.config.read_text(encoding="utf-8")
        for placed in rack.placed:
            recipe, _ = HANDSETS[placed.scenario.name]
            slot = f"[slots.{placed.slot}]\n"
            config = config.replace(slot, f'{slot}recipe = "{recipe}"\n')
        rack.folder.config.write_text(config, encoding="utf-8")
        for recipe in {recipe for recipe, _ in HANDSETS.values()}:
            shutil.copy(RECIPES / f"{recipe}.toml", rack.folder.path / "recipes")
        await rack.start_daemon()
        group.start_soon(rack.must_live)
        with anyio.fail_after(120):
            await until_all_ended(rack)
        jobs |= {
            placed.scenario.name: await rack.watch.job(str(rack.watch.slots[placed.slot]["job"]))
            for placed in rack.placed
        }
        resets += [state.reset_count for state in await rack.hands.handsets()]
        group.cancel_scope.cancel()
    for name, (_, end) in HANDSETS.items():
        job = jobs[name]
        assert (job["outcome"], job["disposition"], job["reason"]) == end, name
        assert not job["certificate"], name
    assert resets == [0] * len(HANDSETS)
    told: Any = jobs["account-and-lock"]["decisions"]
    assert [decision["gate"] for decision in told][-1] == Gate.ASSESS
