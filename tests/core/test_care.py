"""A handset that is hot or nearly empty rests in mid-overwrite and goes on; a snail ends."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
import pytest

from benchd.domain.job import Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.pipelines.stages.overwrite import OverwriteStage

from .world import CAPACITY, MIB, Phone, World, ended, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


def overwrite(**changes: float) -> OverwriteStage:
    return OverwriteStage(file_bytes=32 * MIB, care_every_s=4, **changes)  # type: ignore[arg-type]


def evidence_of(world: World, stage: StageName) -> Mapping[str, object]:
    told = [
        s.entry.data["evidence"]
        for s in world.ledger.of(EntryKind.STAGE_ENDED)
        if s.entry.data["stage"] == stage
    ]
    assert isinstance(told[-1], Mapping)
    return told[-1]


async def test_a_hot_handset_rests_and_goes_on_when_it_is_cool() -> None:
    world = World(recipe=make_recipe(overwrite=overwrite()), slots=2)
    # The stage looks every 4 s: warm, hot, still too warm three times, cool.
    hot = Phone(warmth_c=[39.0, 45.0, 44.0, 42.0, 40.1, 40.0, 30.0])
    async with world.running():
        world.ports["A1"].plug(hot)
        world.ports["A2"].plug(Phone(serial="OTHER", imei=None))
        waiting = await world.until_state(SlotState.WAITING)
        assert waiting.stage is StageName.OVERWRITE
        assert waiting.problem is not None
        assert waiting.problem.code is ProblemCode.TOO_HOT
        assert waiting.problem.facts == {"degrees": "45", "maximum": "40"}
        going = await world.until_state(SlotState.RUNNING)
        assert going.problem is None
        view = await world.until_state(SlotState.FINISHED)
        assert view.outcome is Outcome.PASSED
    assert hot.rested == 1
    assert evidence_of(world, StageName.OVERWRITE)["rested_s"] == pytest.approx(16, abs=1)


async def test_a_handset_nearly_empty_rests_until_it_has_charged() -> None:
    world = World(
        recipe=make_recipe(overwrite=overwrite(rest_below_percent=35, work_above_percent=80))
    )
    phone = Phone(battery_percent=31)
    async with world.running():
        world.ports["A1"].plug(phone)
        waiting = await world.until_state(SlotState.WAITING)
        assert waiting.problem is not None
        assert waiting.problem.code is ProblemCode.LOW_BATTERY
        await anyio.sleep(600)
        assert world.view().state is SlotState.WAITING
        phone.battery_percent = 90
        view = await world.until_state(SlotState.FINISHED)
    assert view.outcome is Outcome.PASSED


async def test_an_unplug_while_it_rests_ends_the_job() -> None:
    world = World(recipe=make_recipe(overwrite=overwrite()))
    async with world.running():
        world.ports["A1"].plug(Phone(warmth_c=[50.0]))
        await world.until_state(SlotState.WAITING)
        await world.take_out()
    [end] = ended(world)
    assert (end["outcome"], end["reason"]) == (Outcome.ABORTED, Reason.UNPLUGGED)


async def test_a_transfer_far_slower_than_at_first_ends_and_never_passes() -> None:
    phone = Phone(fill_step_s=70)
    slow = overwrite(slowest_share=0.9)
    world = World(recipe=make_recipe(overwrite=slow))
    async with world.running():
        world.ports["A1"].plug(phone)
        while world.view().stage is not StageName.OVERWRITE:
            await world.board.changed(world.board.version)
        await anyio.sleep(75)
        # A quarter in 70 s: all of it in 280 s, and 312 s is what 90 % of that pace takes.
        phone.fill_step_s = 400
        view = await world.until_state(SlotState.FINISHED)
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.STAGE_DEADLINE)
    assert not world.passed_for_real


async def test_a_fill_that_an_earlier_job_left_behind_makes_nobody_a_snail() -> None:
    # It's gone with the reset, and isn't to be taken for what little there is to write.
    await World().sells(Phone(used_bytes=CAPACITY * 97 // 100, fill_step_s=70))
