"""Readers that are gone or stumble: waited for, tried again, and all that was seen on record."""

from __future__ import annotations

import anyio
import pytest

from benchd.domain.errors import ReaderFault, StorageFault
from benchd.domain.ids import SlotName
from benchd.domain.job import Disposition, Outcome, Reason, StageName
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.pipelines.runner import LOSSES_ALLOWED
from benchd.slots.stage_services import READER_PAUSE_S

from .fake_chips import CHECK, OTHER_CHIP, RECHECK, SILENT, UNUSED, FakeChip, scan_of, world_with
from .world import Phone, ended, failing

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@pytest.mark.parametrize("stage", [CHECK, RECHECK])
async def test_a_reader_that_is_gone_is_waited_for_and_costs_no_attempt(stage: StageName) -> None:
    world, chips = world_with(FakeChip(), slots=2)
    async with world.running():
        if stage is RECHECK:
            world.silent_in = StageName.GATES
        world.ports["A1"].plug(Phone())
        chips.chips["A2"] = FakeChip(looks=scan_of(UNUSED.verdict, chip=OTHER_CHIP))
        world.ports["A2"].plug(Phone(serial="NEIGHBOUR"))
        if stage is RECHECK:
            await world.until_question()
            world.back_at_work()
            await world.until_stage(StageName.OVERWRITE)
        chips.unplug_reader("A1")
        view = await world.until_problem(ProblemCode.READER_GONE)
        assert view.stage is stage
        assert view.problem is not None
        assert view.problem.facts == {"reader": "reader of A1"}
        assert (await world.finished("A2")).disposition is Disposition.SELLABLE
        await anyio.sleep(7 * 24 * 3600)
        assert world.view().state is SlotState.WAITING
        chips.plug_reader("A1")
        await world.until(lambda: world.view().problem is None)
        view = await world.finished()
        assert (view.outcome, view.disposition) == (Outcome.PASSED, Disposition.SELLABLE)
    lost, *_, passed = world.attempts(stage)
    assert (lost["outcome"], lost["because"]) == (Outcome.INTERRUPTED, "reader_gone")
    assert passed["outcome"] == Outcome.PASSED


async def test_a_reader_that_comes_and_goes_ends_the_job_at_last() -> None:
    world, chips = world_with(FakeChip())

    async def there_for_a_moment(slot: SlotName) -> None:
        pass

    chips.until_there = there_for_a_moment  # type: ignore[method-assign]
    chips.unplug_reader("A1")
    await world.refuses(Phone(), Reason.ATTEMPTS_EXHAUSTED)
    told = [attempt["because"] for attempt in world.attempts(CHECK)]
    assert told == ["reader_gone"] * (LOSSES_ALLOWED + 1)
    # Long enough for a pcscd that somebody restarts, however fast it fails.
    assert anyio.current_time() > LOSSES_ALLOWED * READER_PAUSE_S


async def test_an_unplug_while_the_reader_is_waited_for_aborts_the_job() -> None:
    world, chips = world_with(FakeChip())
    chips.unplug_reader("A1")
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.WAITING)
        await world.take_out()
    assert ended(world)[0]["outcome"] == Outcome.ABORTED
    assert not world.certified()


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("stage", [CHECK, RECHECK])
async def test_a_reader_that_stumbles_is_tried_again_and_not_for_ever(
    stage: StageName, times: int
) -> None:
    faults = [ReaderFault("it hung") for _ in range(times)]
    world, _ = world_with(FakeChip(once=[*([UNUSED] if stage is RECHECK else []), *faults]))
    if times < 3:
        await world.sells()
    else:
        await world.refuses(Phone(), Reason.ATTEMPTS_EXHAUSTED)
    assert [a["because"] for a in world.attempts(stage)[:times]] == ["ReaderFault"] * times


async def test_what_the_check_saw_is_not_taken_for_a_later_stages() -> None:
    world, _ = world_with(FakeChip())
    await world.refuses(Phone(faults=failing("fill", StorageFault("lost"))), Reason.STORAGE_FAULT)
    assert [told["evidence"] for told in world.attempts(StageName.OVERWRITE)] == [{}]


async def test_a_question_that_nobody_answers_in_time_leaves_the_scan_on_record() -> None:
    world, _ = world_with(FakeChip(looks=SILENT))
    world.silent_in = CHECK
    await world.refuses(Phone(), Reason.UNANSWERED)
    [check] = world.attempts(CHECK)
    assert check["evidence"]["verdict"] == "silent"
