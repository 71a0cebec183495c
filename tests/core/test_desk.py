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


async def test_an_answer_that_races_an_unplug_stands_before_the_end_of_its_job() -> None:
    """And one that comes after the unplug is refused."""
    world = World(ledger=SlowLedger())
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_question(Gate.JPKI)
        await anyio.sleep(1)
        world.ports["A1"].unplug()
        await anyio.sleep(0.5)
        with pytest.raises(NotFound):
            await world.decide(Gate.JPKI)
        await world.until_state(SlotState.EMPTY)
    kinds = [stored.entry.kind for stored in world.ledger.stored]
    assert kinds.index(EntryKind.JOB_ENDED) > len(kinds) - 1 - kinds[::-1].index(EntryKind.DECISION)
    [end] = ended(world)
    assert (end["outcome"], end["reason"]) == (Outcome.ABORTED, Reason.UNPLUGGED)


async def test_an_answer_to_a_question_that_is_asked_anew_is_not_taken() -> None:
    """The same job and gate, but perhaps of another number or another handset: who saw it?"""
    world = World()
    world.silent_in = StageName.GATES
    by = somebody("sato")
    async with world.running():
        world.ports["A1"].plug(Phone())
        question = await world.until_question()
        job, gate, asking = world.view().job, question.gate, question.asking
        assert job is not None
        await anyio.sleep(0.5)
        with pytest.raises(NotFound):
            await world.desk.decide(job, gate, approved=False, by=by, asking=asking - 1)
        assert world.ledger.of(EntryKind.DECISION) == []
        await world.desk.decide(job, gate, approved=False, by=by, asking=asking)
    assert len(world.ledger.of(EntryKind.DECISION)) == 1
