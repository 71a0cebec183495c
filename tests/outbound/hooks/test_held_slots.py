"""A held handset in its slot, while daemons come and go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from benchd.daemon.rack_hooks import Directing
from benchd.domain.errand_queue import errands_of
from benchd.domain.hook import Direction, NextAction
from benchd.domain.job import Disposition
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.slot_states import SlotState
from benchd.ledger.ledger_queries import LedgerReads
from benchd.observe.announcing_ledger import announcing
from benchd.outbound.hooks.replies import record_of
from benchd.pipelines.recovery import close_open_jobs
from tests.core.test_restart import second_world
from tests.core.world import MemoryLedger, Phone, World

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@dataclass
class Answers(LedgerReads):
    """A ledger in memory that tells what receivers have answered."""

    ledger: MemoryLedger

    async def select(self, condition: str, *values: str | int) -> list[StoredEntry]:
        raise NotImplementedError

    async def of_kind(
        self, kind: EntryKind, after: int = 0, most: int = -1
    ) -> Sequence[StoredEntry]:
        return [record for record in self.ledger.of(kind) if record.sequence > after][:most]


async def hold(world: World) -> None:
    """Another system holds the handset in A1 back."""
    job = world.view().job
    assert job is not None
    told = Direction(
        hook="stock", sequence=9, job=job, action=NextAction.HOLD, bin=None, refused=None
    )
    ledger = announcing(world.ledger, [world.held, Directing(world.board)], lambda: None)
    data = record_of(told, "9-ab")
    await ledger.append(Entry(kind=EntryKind.HOOK_ANSWERED, at=world.clock.now(), data=data))


def goes(world: World) -> Disposition | None:
    """Where the queue has the handset of A1 carried to."""
    job = world.view().job
    assert job is not None
    [errand] = errands_of(world.board.views(), proven={job})
    return errand.goes


async def test_a_held_handset_is_shown_as_held_by_the_next_daemon() -> None:
    ledger = MemoryLedger()
    first = World(ledger=ledger)
    async with first.running():
        first.ports["A1"].plug(Phone())
        await first.until_state(SlotState.FINISHED)
        assert goes(first) is Disposition.SELLABLE
        await hold(first)
        assert goes(first) is Disposition.HOLD
        before = len(ledger.stored)
    del ledger.stored[before:]  # it died
    second = second_world(first, ledger)
    await second.held.recall(Answers(ledger))
    await close_open_jobs(ledger, second.clock)
    async with second.running():
        while second.view().state is not SlotState.FINISHED:
            await second.board.changed(second.board.version)
        assert goes(second) is Disposition.HOLD
        view = second.view()
        assert view.directed is not None
        assert view.directed.held_by == "stock"


async def test_a_hold_is_of_one_job_and_the_next_one_is_told_to_the_receivers_anew() -> None:
    world = World()
    async with world.running():
        phone = Phone()
        world.ports["A1"].plug(phone)
        await world.until_state(SlotState.FINISHED)
        await hold(world)
        held = world.view().job
        world.ports["A1"].unplug()
        await world.until_state(SlotState.EMPTY)
        world.ports["A1"].plug(Phone())
        view = await world.until_state(SlotState.FINISHED)
        assert view.job != held
        assert view.directed is None
        assert held is not None
        assert world.held.holder(held) == "stock"
