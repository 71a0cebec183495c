"""The desk: what is answered stands in the ledger before the job's end, or isn't taken."""

from __future__ import annotations

import anyio
import pytest

from benchd.domain.errors import NotFound
from benchd.domain.job import Gate, Outcome, Reason, StageName
from benchd.domain.record import Entry, EntryKind, Receipt
from benchd.domain.slot_states import SlotState
from tests.people.somebody import somebody

from .world import MemoryLedger, Phone, World, ended

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


class SlowLedger(MemoryLedger):
    """A fake ledger whose disk takes its time over people's answers."""

    async def append(self, entry: Entry) -> Receipt:
        if entry.kind is EntryKind.DECISION:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(3)
        return await super().append(entry)


async def until_asked(world: World, gate: Gate) -> None:
    await world.until(
        lambda: (question := world.view().question) is not None and question.gate is gate
    )


async def test_an_answer_that_races_an_unplug_stands_before_the_end_of_its_job() -> None:
    world = World(ledger=SlowLedger())
    async with world.running():
        world.ports["A1"].plug(Phone())
        await until_asked(world, Gate.JPKI)
        await anyio.sleep(1)
        await world.take_out()
    kinds = [stored.entry.kind for stored in world.ledger.stored]
    assert kinds.index(EntryKind.JOB_ENDED) > len(kinds) - 1 - kinds[::-1].index(EntryKind.DECISION)
    assert ended(world)[0]["outcome"] == Outcome.ABORTED
    assert ended(world)[0]["reason"] == Reason.UNPLUGGED


async def test_an_answer_that_comes_after_the_unplug_is_refused() -> None:
    world = World(ledger=SlowLedger())
    world.silent_in = None
    async with world.running():
        world.ports["A1"].plug(Phone())
        await until_asked(world, Gate.JPKI)
        job = world.view().job
        assert job is not None
        await anyio.sleep(0.5)
        world.ports["A1"].unplug()
        await anyio.sleep(0.5)
        with pytest.raises(NotFound):
            await world.desk.decide(job, Gate.JPKI, approved=True, by=somebody("Sato"))
        await world.until_state(SlotState.EMPTY)


async def test_an_answer_to_a_question_that_is_asked_anew_is_not_taken() -> None:
    """The same job and gate, but perhaps of another number or another handset: who saw it?"""
    world = World()
    world.silent_in = StageName.GATES
    by = somebody("sato")
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_question()
        view = world.view()
        question, job = view.question, view.job
        assert question is not None
        assert job is not None
        await anyio.sleep(0.5)
        with pytest.raises(NotFound):
            await world.desk.decide(
                job, question.gate, approved=False, by=by, asking=question.asking - 1
            )
        assert world.ledger.of(EntryKind.DECISION) == []
        await world.desk.decide(job, question.gate, approved=False, by=by, asking=question.asking)
    assert len(world.ledger.of(EntryKind.DECISION)) == 1
