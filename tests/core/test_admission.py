"""While the door is held no job begins; those that run go on, and those that wait begin after."""

from __future__ import annotations

import anyio
import pytest

from benchd.domain.job import Disposition, Gate, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.slots.admission import Admission
from tests.core.world import MIB, Phone, World

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_a_held_door_lets_running_jobs_end_and_no_new_one_begin() -> None:
    world = World(slots=2)
    admission = world.parts.admission
    async with world.running():
        world.ports["A1"].plug(Phone(serial="running"))
        await world.until_stage(StageName.OVERWRITE)
        admission.hold(ProblemCode.LEDGER_BROKEN)
        world.ports["A2"].plug(Phone(serial="waiting"))
        waiting = await world.until_state(SlotState.WAITING, "A2")
        assert waiting.problem is not None
        assert waiting.problem.code is ProblemCode.LEDGER_BROKEN
        running = await world.until_state(SlotState.FINISHED)
        assert running.disposition is Disposition.SELLABLE
        assert len(world.ledger.of(EntryKind.JOB_OPENED)) == 1
        admission.release(ProblemCode.LEDGER_BROKEN)
        begun = await world.until_state(SlotState.FINISHED, "A2")
        assert begun.disposition is Disposition.SELLABLE


async def test_a_job_that_has_destroyed_nothing_yet_does_not_begin_to() -> None:
    """A break that is found while it waits for a person stops it before its reset."""
    world = World(answers={Gate.CONSENT: True})
    admission = world.parts.admission
    async with world.running():
        phone = Phone(used_bytes=30 * MIB)
        world.ports["A1"].plug(phone)
        await world.until_stage(StageName.FELICA_CHECK)
        admission.hold(ProblemCode.LEDGER_BROKEN)
        waiting = await world.until_state(SlotState.WAITING)
        assert waiting.problem is not None
        assert waiting.problem.code is ProblemCode.LEDGER_BROKEN
        started = [record.entry.data for record in world.ledger.of(EntryKind.STAGE_STARTED)]
        assert not any(data["destructive"] for data in started)
        assert not phone.filled
        admission.release(ProblemCode.LEDGER_BROKEN)
        assert (await world.until_state(SlotState.FINISHED)).disposition is Disposition.SELLABLE


async def test_a_drain_does_not_wait_for_a_job_that_is_held_before_it_destroys() -> None:
    world = World(answers={Gate.CONSENT: True})
    admission = world.parts.admission
    phone = Phone(used_bytes=30 * MIB)
    async with world.running():
        world.ports["A1"].plug(phone)
        await world.until_stage(StageName.FELICA_CHECK)
        admission.hold(ProblemCode.DISK_FULL)
        await world.until_state(SlotState.WAITING)
        admission.close()
        with anyio.fail_after(3600):
            await admission.drained()
    assert not phone.filled
    (end,) = world.ledger.of(EntryKind.JOB_ENDED)
    assert end.entry.data["outcome"] == "aborted"


async def test_a_job_that_was_held_counts_again_once_it_goes_on() -> None:
    world = World(answers={Gate.CONSENT: True})
    admission = world.parts.admission
    async with world.running():
        world.ports["A1"].plug(Phone(used_bytes=30 * MIB))
        await world.until_stage(StageName.FELICA_CHECK)
        admission.hold(ProblemCode.DISK_FULL)
        await world.until_state(SlotState.WAITING)
        assert admission.running == 0
        admission.release(ProblemCode.DISK_FULL)
        await world.until_stage(StageName.OVERWRITE)
        assert admission.running == 1
        assert (await world.until_state(SlotState.FINISHED)).disposition is Disposition.SELLABLE
        assert admission.running == 0


async def test_a_pause_that_ends_between_a_look_and_the_wait_leaves_nobody_waiting() -> None:
    admission = Admission()
    admission.pause(for_s=1)
    assert admission.begins_not_for is ProblemCode.DAEMON_PAUSED
    await anyio.sleep(2)
    with anyio.fail_after(3600):
        await admission.changed()
    assert admission.begins_not_for is None
    # But once is enough: nobody is to look again and again.
    with anyio.move_on_after(3600) as scope:
        await admission.changed()
    assert scope.cancelled_caught


async def test_a_handset_that_leaves_while_the_door_is_held_is_forgotten() -> None:
    world = World()
    world.parts.admission.hold(ProblemCode.LEDGER_BROKEN)
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.WAITING)
        await world.take_out()
        world.parts.admission.release(ProblemCode.LEDGER_BROKEN)
    assert not world.ledger.of(EntryKind.JOB_OPENED)


async def test_a_held_door_that_closes_says_so() -> None:
    world = World()
    world.parts.admission.hold(ProblemCode.LEDGER_BROKEN)
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.WAITING)
        world.parts.admission.close()
        await world.until(
            lambda: (
                (p := world.view().problem) is not None and p.code is ProblemCode.DAEMON_DRAINING
            )
        )


async def test_a_pause_lets_running_jobs_end_whole_and_is_over_by_itself() -> None:
    world = World(slots=2)
    admission = world.parts.admission
    async with world.running():
        world.ports["A1"].plug(Phone(serial="running", used_bytes=30 * MIB))
        await world.until(lambda: admission.running == 1)
        admission.pause(for_s=86_400)
        world.ports["A2"].plug(Phone(serial="waiting"))
        waiting = await world.until_state(SlotState.WAITING, "A2")
        assert waiting.problem is not None
        assert waiting.problem.code is ProblemCode.DAEMON_PAUSED
        # It hadn't destroyed anything yet, and does: unlike a ledger that doesn't hold.
        running = await world.until_state(SlotState.FINISHED)
        assert running.disposition is Disposition.SELLABLE
        assert (admission.paused, admission.running) == (True, 0)
        assert len(world.ledger.of(EntryKind.JOB_OPENED)) == 1
        begun = await world.until_state(SlotState.FINISHED, "A2")
        assert begun.disposition is Disposition.SELLABLE
        assert not admission.paused


async def test_a_pause_that_is_taken_back_lets_jobs_begin_at_once() -> None:
    world = World()
    admission = world.parts.admission
    async with world.running():
        admission.pause(for_s=86_400)
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.WAITING)
        admission.pause(for_s=0)
        assert (await world.until_state(SlotState.FINISHED)).disposition is Disposition.SELLABLE
