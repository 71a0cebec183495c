"""The shipped recipes that don't erase, run by the real daemon on the virtual rack."""

from __future__ import annotations

import shutil
from pathlib import Path

import anyio
import pytest

from benchd.domain.job import Gate
from benchd.lab.demo.demo_rack import demo_rack
from benchd.lab.demo.demo_run import until_all_ended
from benchd.lab.simulator.scenarios import SCENARIOS

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
    chosen = [SCENARIOS[name] for name in HANDSETS]
    async with demo_rack(tmp_path, chosen, port=8420) as rack:
        config = rack.folder.config.read_text(encoding="utf-8")
        for placed in rack.placed:
            recipe, _ = HANDSETS[placed.scenario.name]
            slot = f"[slots.{placed.slot}]\n"
            config = config.replace(slot, f'{slot}recipe = "{recipe}"\n')
        rack.folder.config.write_text(config, encoding="utf-8")
        for recipe in {recipe for recipe, _ in HANDSETS.values()}:
            shutil.copy(RECIPES / f"{recipe}.toml", rack.folder.path / "recipes")
        await rack.start_daemon()
        jobs: dict[str, dict[str, object]] = {}
        resets: list[int] = []
        with anyio.fail_after(120):
            async with anyio.create_task_group() as group:
                group.start_soon(rack.operators().work)
                group.start_soon(rack.must_live)
                await until_all_ended(rack)
                for placed in rack.placed:
                    slot_now = rack.watch.slots[placed.slot]
                    jobs[placed.scenario.name] = dict(await rack.watch.job(str(slot_now["job"])))
                resets = [state.reset_count for state in await rack.hands.handsets()]
                group.cancel_scope.cancel()
    for name, (_, end) in HANDSETS.items():
        job = jobs[name]
        assert (job["outcome"], job["disposition"], job["reason"]) == end, name
        assert not job["certificate"], name
    assert resets == [0] * len(HANDSETS)
    told = jobs["account-and-lock"]["decisions"]
    assert isinstance(told, list)
    assert [decision["gate"] for decision in told][-1] == Gate.ASSESS
