"""What is held stays held: over restarts, lost files, other hooks and any number of answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import pytest

from benchd.daemon.rack_hooks import Directing
from benchd.domain.errand_priority import errands_of
from benchd.domain.hook import Direction, NextAction, NotTaken, record_of_direction
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.slot import DirectedView
from benchd.domain.slot_states import SlotState
from benchd.ledger.held_handsets import MOST_BINS, Held
from benchd.ledger.ledger_queries import LedgerReads
from benchd.observe.announcing_ledger import announcing
from benchd.outbound.hooks.hook_delivery import Taken
from benchd.outbound.hooks.outbox import Outbox
from benchd.pipelines.recovery import close_open_jobs
from tests.core.test_restart import second_world
from tests.core.world import MemoryLedger, Phone, World
from tests.outbound.hooks.hook_rig import OURS, START, TERMS, rig

JOB = JobId("job-1")
HOLD = Direction(hook="police", sequence=1, job=JOB, action=NextAction.HOLD, bin=None, refused=None)
TO_S1 = Direction(
    hook="stock", sequence=1, job=JOB, action=NextAction.ROUTE, bin="S1", refused=None
)


@dataclass
class Says:
    """Takes everything, and answers the end of a job."""

    reply: bytes

    async def send(self, event_id: str, body: bytes) -> Taken:
        await anyio.lowlevel.checkpoint()
        return Taken(self.reply if json.loads(body)["type"] == "benchd.job_ended" else b"")


def test_any_number_of_later_answers_lets_nothing_go() -> None:
    held = Held()
    held.take(HOLD)
    for number in range(MOST_BINS + 10):
        held.take(replace(TO_S1, sequence=number + 2, job=JobId(f"job-{number + 2}")))
        held.take(replace(HOLD, sequence=number + 2, hook="other"))
    assert held.holder(JOB) == "police"
    assert held.directed(JobId("job-2")) is None
    assert held.directed(JobId(f"job-{MOST_BINS}")) == DirectedView(place="S1")


def test_of_two_answers_to_one_event_the_first_counts_and_a_hold_always() -> None:
    held = Held()
    held.take(replace(HOLD, refused=NotTaken.NOT_UNDERSTOOD))
    assert held.directed(JOB) is None
    held.take(TO_S1)
    held.take(replace(TO_S1, bin="S2"))
    assert held.directed(JOB) == DirectedView(place="S1")
    held.take(replace(HOLD, hook="stock"))
    assert held.directed(JOB) == DirectedView(held_by="stock")


def test_what_isnt_of_its_form_is_nothing() -> None:
    held = Held()
    held.stored(Entry(kind=EntryKind.HOOK_ANSWERED, at=START, data={"job": JOB}))
    held.stored(Entry(kind=EntryKind.STAGE_ENDED, at=START, data=record_of_direction(HOLD, "1-ab")))
    assert held.directed(JOB) is None


@pytest.mark.asyncio
async def test_a_hook_that_answers_at_the_same_moment_names_no_bin_for_what_is_sold(
    tmp_path: Path,
) -> None:
    """Whichever of the two is first: held, and not in a bin that is sold from."""
    async with rig(tmp_path, begun=False) as one:
        police, stock = (
            Outbox(replace(TERMS, name=name), Says(reply), one.parts)
            for name, reply in (
                ("police", b'{"next_action":"hold"}'),
                ("stock", b'{"next_action":"route","bin":"S1"}'),
            )
        )
        await one.step()
        await police.step()
        await stock.step()
        job = JobId(await one.shop.open("USB001"))
        await one.shop.end("USB001", "sellable", OURS)

        async def work(box: Outbox) -> None:
            for _ in range(6):
                await box.step()

        for first in (police, stock):
            async with anyio.create_task_group() as group:
                group.start_soon(work, first)
                group.start_soon(work, stock if first is police else police)
        assert one.held.directed(job) == DirectedView(held_by="police")
        asked = [told for told in one.store.directions(job) if told.counts]
        assert [told.action for told in asked][-1] is NextAction.HOLD


@pytest.mark.asyncio
async def test_a_lost_file_of_the_hooks_lets_nothing_go(tmp_path: Path) -> None:
    async with rig(tmp_path) as one:
        one.receiver.replies = (b'{"next_action":"hold"}',)
        job = JobId(await one.shop.open("USB001"))
        await one.shop.end("USB001", "sellable", OURS)
        await one.until_quiet()
        one.lose_file()
        one.receiver.away_until = START.replace(year=2027)
        await one.step()
        assert one.held.holder(job) == "stock"


@pytest.mark.asyncio
async def test_an_answer_that_is_on_record_is_never_recorded_again(tmp_path: Path) -> None:
    async with rig(tmp_path) as one:
        one.receiver.replies = (b'{"next_action":"reprint"}',)
        await one.shop.open("USB001")
        await one.shop.end("USB001", "hold")
        await one.until_quiet()
        for _ in range(3):
            one.lose_file()
            await one.until_quiet()
        assert len(await one.answers()) == 2
        assert len(one.receiver.got) == 8


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
    data = record_of_direction(told, "9-ab")
    await ledger.append(Entry(kind=EntryKind.HOOK_ANSWERED, at=world.clock.now(), data=data))


def goes(world: World) -> Disposition | None:
    """Where the queue has the handset of A1 carried to."""
    job = world.view().job
    assert job is not None
    [errand] = errands_of(world.board.views(), proven={job})
    return errand.goes


@pytest.mark.asyncio
@pytest.mark.looptime
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


@pytest.mark.asyncio
@pytest.mark.looptime
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
