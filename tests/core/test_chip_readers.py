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
from benchd.slots.station import READER_PAUSE_S

from .fake_chips import (
    CHECK,
    IN_USE,
    OTHER_CHIP,
    RECHECK,
    SILENT,
    UNUSED,
    FakeChip,
    raised,
    scan_of,
    world_with,
)
from .world import Phone, ended

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
        view = await world.until_state(SlotState.WAITING)
        assert view.stage is stage
        assert view.problem is not None
        assert view.problem.code is ProblemCode.READER_GONE
        assert view.problem.facts == {"reader": "reader of A1"}
        neighbour = await world.until_state(SlotState.FINISHED, "A2")
        assert neighbour.disposition is Disposition.SELLABLE
        await anyio.sleep(7 * 24 * 3600)
        assert world.view().state is SlotState.WAITING
        chips.plug_reader("A1")
        await world.until(lambda: world.view().problem is None)
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.disposition) == (Outcome.PASSED, Disposition.SELLABLE)
    lost, passed = world.attempts(stage)[:1], world.attempts(stage)[-1]
    assert [(a["outcome"], a["because"]) for a in lost] == [(Outcome.INTERRUPTED, "reader_gone")]
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
    faults = raised(lambda: ReaderFault("it hung"), times)
    world, _ = world_with(FakeChip(once=[*([UNUSED] if stage is RECHECK else []), *faults]))
    view = await world.end_of()
    told = world.attempts(stage)
    assert [a["because"] for a in told[:times]] == ["ReaderFault"] * times
    if times < 3:
        assert view.disposition is Disposition.SELLABLE
    else:
        assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.ATTEMPTS_EXHAUSTED)
        assert not world.certified()


async def test_what_the_check_saw_is_not_taken_for_a_later_stages() -> None:
    async def lost(_phone: Phone) -> None:
        raise StorageFault("lost")

    world, _ = world_with(FakeChip())
    view = await world.end_of(Phone(faults={"fill": lost}))
    assert view.reason is Reason.STORAGE_FAULT
    assert [attempt["evidence"] for attempt in world.attempts(StageName.OVERWRITE)] == [{}]


async def test_a_question_that_nobody_answers_in_time_leaves_the_scan_on_record() -> None:
    world, _ = world_with(FakeChip(looks=SILENT))
    world.silent_in = CHECK
    view = await world.end_of()
    assert view.reason is Reason.UNANSWERED
    [check] = world.attempts(CHECK)
    assert check["evidence"]["verdict"] == "silent"


async def test_no_other_slot_is_touched() -> None:
    world, chips = world_with(FakeChip(looks=IN_USE), slots=3)
    await world.end_of()
    assert world.view("A2").state is SlotState.EMPTY
    assert {slot for slot, _, _ in chips.scans} == {"A1"}
    assert {order.slot for order in chips.orders} == {"A1"}
    assert [end["disposition"] for end in ended(world)] == [Disposition.SELLABLE]
