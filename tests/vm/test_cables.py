"""Cables that are pulled, moved and swapped, on real USB."""

from __future__ import annotations

import random

import anyio
import pytest

from benchd.domain.job import StageName
from benchd.proof.stage_order import REQUIRED_STAGES
from tests.vm.guest.rackvm.plan import READER_SLOTS
from tests.vm.rig import Rig, slot_name

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(1200)]

STAGES = tuple(str(name) for name in (*REQUIRED_STAGES, StageName.CERTIFY))
OF_THE_CHIP = ("felica_check", "felica_clear", "felica_recheck")


@pytest.mark.nightly
async def test_a_cable_is_pulled_in_each_stage_and_put_back(rig: Rig) -> None:
    chance = random.Random()
    kinds = {stage: ("ext4", "live-data")[place % 2] for place, stage in enumerate(STAGES)}
    kinds |= dict.fromkeys(OF_THE_CHIP, "felica-in-use")
    slots: dict[str, int] = dict(zip(OF_THE_CHIP, READER_SLOTS, strict=False))
    slots |= {stage: n for n, stage in enumerate((s for s in STAGES if s not in slots), start=1)}
    await rig.fill_table(kinds)
    await rig.start_service()

    async def pull(stage: str) -> None:
        """At a moment after it has begun; the last one is over before anybody sees it."""
        slot = slot_name(slots[stage])
        first = min(STAGES.index(stage), STAGES.index("confirm"))
        await rig.until_slot(slot, *STAGES[first:], within_s=600)
        await anyio.sleep(chance.uniform(0.0, 1.0))
        found = rig.watch.slots[slot]["stage"]
        away_s = chance.uniform(0.0, 4.0)
        await rig.rack("replug", handsets=[stage], after_s=away_s)
        await rig.note(f"meant for {stage}, pulled in {found}, back after {away_s:.1f} s")

    async with rig.operating():
        await rig.plug(slots)
        async with anyio.create_task_group() as pulls:
            for stage in STAGES:
                pulls.start_soon(pull, stage)
        await rig.watch.look()
        ends = await rig.ends(slots, within_s=900)
    # Pulled after its final reset, a handset has no adb: its new job gets it from the
    # operator's hand. All of them end as erased, each by a job that had no gap.
    assert all(end.proven() for end in ends.values())


@pytest.mark.nightly
async def test_a_handset_moved_to_another_slot_begins_anew_there(rig: Rig) -> None:
    await rig.fill_table({"one": "ext4"})
    await rig.start_service()
    async with rig.operating():
        await rig.plug({"one": 1})
        await rig.until_slot("S01", "overwrite", "read_back")
        first = rig.watch.slots["S01"]["job"]
        await rig.unplug("one")
        await rig.plug({"one": 9})
        ends = await rig.ends({"one": 9})
    assert ends["one"].outcome == "passed", ends
    assert ends["one"].job != first
    left = await rig.watch.job(str(first))
    assert (left["outcome"], left["reason"]) == ("aborted", "unplugged")
    assert not left["certificate"]
