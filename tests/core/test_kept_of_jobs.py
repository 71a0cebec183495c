"""What is kept of jobs: nothing of one that has ended, and few at once of those that certify."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import replace

import anyio
import pytest

from benchd.domain.job import Reason
from benchd.domain.record import StoredEntry
from benchd.domain.slot_states import SlotState
from benchd.pipelines.certificate_inputs import AT_ONCE
from benchd.pipelines.contract import JobContext
from benchd.pipelines.recipe import Recipe

from .world import SOLD, FakeHandset, MemoryLedger, Phone, World, ending, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

READ_S = 5.0


def new_ones(kinds: tuple[type, ...], before: Sequence[object] = ()) -> list[object]:
    """What anything still refers to of these kinds, and didn't before."""
    gc.collect()
    known = {id(one) for one in before}
    return [one for one in gc.get_objects() if type(one) in kinds and id(one) not in known]


async def test_a_handset_that_lies_in_its_slot_after_its_job_holds_nothing_of_it() -> None:
    of_a_job = (JobContext, FakeHandset)
    before = new_ones(of_a_job)
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.RUNNING)
        assert {type(one) for one in new_ones(of_a_job, before)} == set(of_a_job)
        await world.until_state(SlotState.FINISHED)
        await anyio.sleep(1)
        assert new_ones(of_a_job, before) == []


class WatchedLedger(MemoryLedger):
    """A fake ledger that takes a while for what came in, and counts who waits with its records."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0
        self.most_waiting = 0

    async def intake(self, since: int) -> Sequence[StoredEntry]:
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        try:
            await anyio.sleep(READ_S)
            return await super().intake(since)
        finally:
            self.waiting -= 1


def certifies_within(seconds: float) -> Recipe:
    recipe = make_recipe()
    *before, certify = recipe.stages
    return replace(recipe, stages=(*before, replace(certify, deadline_s=seconds)))


async def test_jobs_that_end_together_read_their_records_a_few_at_a_time() -> None:
    """What others take to certify isn't taken from the time of a job."""
    ledger = WatchedLedger()
    world = World(slots=3 * AT_ONCE, ledger=ledger, recipe=certifies_within(2.5 * READ_S))
    async with world.running():
        for number, port in enumerate(world.ports.values()):
            port.plug(Phone(serial=f"R5CT10ABC{number:02}"))
        for slot in world.ports:
            view = await world.finished(slot)
            assert ending(view) == SOLD
            assert view.job in world.issuer.kept
    assert ledger.most_waiting == AT_ONCE


async def test_a_job_that_certifies_has_no_more_time_than_its_stage() -> None:
    view = await World(ledger=WatchedLedger(), recipe=certifies_within(READ_S / 2)).end_of()
    assert view.reason is Reason.STAGE_DEADLINE
