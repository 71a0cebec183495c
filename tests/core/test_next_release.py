"""Going back a release: what the next one has written breaks the record of its job, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from benchd.domain.ids import JobId
from benchd.domain.intake import AttestationKind
from benchd.domain.job import Disposition, Gate, Outcome, Reason
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot_states import SlotState
from benchd.pipelines.recovery import keep_certificates
from benchd.proof.job_history import ending_of, fold_job
from tests.intake.lots import LOT

from .lot_rack import Rack
from .world import FakeIssuer, MemoryLedger, Phone, World, phone_like, second_world

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

NEWER = EntryKind.read("handset_weighed")
CHANGES: dict[str, tuple[EntryKind, Mapping[str, object]]] = {
    "a stage": (EntryKind.STAGE_ENDED, {"stage": "look/deep"}),
    "an outcome of a stage": (EntryKind.STAGE_ENDED, {"outcome": "postponed"}),
    "a form of evidence": (EntryKind.STAGE_ENDED, {"form": 99}),
    "an outcome": (EntryKind.JOB_ENDED, {"outcome": "postponed"}),
    "a disposition": (EntryKind.JOB_ENDED, {"disposition": "refurbish"}),
    "a reason": (EntryKind.JOB_ENDED, {"reason": "too_heavy"}),
}


async def _sold() -> tuple[World, JobId]:
    """A rack that has sold the handset in its first slot, and was stopped with it in there."""
    world = World(slots=2)
    view = await world.sells()
    assert view.job is not None
    return world, view.job


def _written_by_next(ledger: MemoryLedger, job: JobId, what: str) -> None:
    """Let the next release have written one of the job's records, or one more."""
    if what == "a kind of record":
        at = next(i for i, s in enumerate(ledger.stored) if s.entry.kind is EntryKind.JOB_ENDED)
        before = ledger.stored[at - 1]
        ledger.stored[at - 1] = replace(before, entry=replace(before.entry, kind=NEWER))
        return
    kind, change = CHANGES[what]
    for index, stored in enumerate(ledger.stored):
        if stored.entry.kind is kind and stored.entry.job == job:
            data = {**stored.entry.data, **change}
            ledger.stored[index] = replace(stored, entry=replace(stored.entry, data=data))  # type: ignore[arg-type]


@pytest.mark.parametrize("what", ["a kind of record", *CHANGES])
async def test_its_slot_waits_for_a_person_and_the_others_work(what: str) -> None:
    first, job = await _sold()
    _written_by_next(first.ledger, job, what)
    world = second_world(first, first.ledger)
    async with world.running():
        world.ports["A2"].plug(Phone(serial="another"))
        assert (await world.until_state(SlotState.FINISHED, "A2")).disposition is (
            Disposition.SELLABLE
        )
        broken = world.view("A1")
        assert broken.state in (SlotState.FINISHED, SlotState.QUARANTINED)
        assert broken.disposition is not Disposition.SELLABLE
        if broken.state is SlotState.FINISHED:
            assert (broken.disposition, broken.reason) == (Disposition.HOLD, Reason.RECORD_BROKEN)
        # Whoever takes it out has the slot again.
        await world.take_out()
        sold = await world.ran(Phone(serial="a third"))
        assert sold.disposition is Disposition.SELLABLE


@pytest.mark.parametrize("what", ["a kind of record", *CHANGES])
async def test_nothing_is_told_as_sellable_by_a_record_that_cannot_be_read(what: str) -> None:
    world, job = await _sold()
    _written_by_next(world.ledger, job, what)
    records = await world.ledger.entries(job)
    end = ending_of(records, FakeIssuer())
    assert end is not None
    assert (end.outcome, end.disposition, end.reason) == (
        Outcome.FAILED,
        Disposition.HOLD,
        Reason.RECORD_BROKEN,
    )
    assert fold_job(records, FakeIssuer()).envelope is None
    issuer = FakeIssuer()
    await keep_certificates(world.ledger, issuer, 10)
    assert not issuer.kept


async def test_a_record_of_a_job_that_is_older_than_its_begin_is_folded_as_well() -> None:
    """One list of jobs shows them all: none of them may be what ends it."""
    world, job = await _sold()
    at = next(i for i, s in enumerate(world.ledger.stored) if s.entry.job == job)
    first = world.ledger.stored[at]
    world.ledger.stored.insert(at, replace(first, entry=replace(first.entry, kind=NEWER)))
    told = fold_job(await world.ledger.entries(job), FakeIssuer())
    assert (told.disposition, told.reason) == (Disposition.HOLD, Reason.RECORD_BROKEN)
    assert told.opened_at == first.entry.at


@pytest.mark.parametrize("what", ["a kind of record", "a form of evidence"])
async def test_a_handset_that_the_next_release_knows_more_of_is_held(what: str) -> None:
    """Nobody knows what that says: it may be that the handset is wanted, or was destroyed."""
    first, job = await _sold()
    phone = first.ports["A1"].phone
    assert phone is not None
    _written_by_next(first.ledger, job, what)
    first.ports["A1"].attached = False
    world = second_world(first, first.ledger)
    async with world.running():
        view = await world.ran(phone_like(phone), "A2")
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.RECORD_BROKEN)


async def test_a_kind_of_another_release_is_none_of_this_one() -> None:
    assert NEWER.value == "handset_weighed"
    assert not NEWER.is_known
    assert NEWER not in list(EntryKind)
    assert EntryKind.read("job_ended") is EntryKind.JOB_ENDED
    entry = Entry(kind=NEWER, at=datetime(2026, 11, 24, tzinfo=UTC))
    assert entry.kind.value == "handset_weighed"


async def test_a_lot_with_a_record_that_cannot_be_read_settles_nothing() -> None:
    """It may be a withdrawal in other words: people are asked."""
    rack = Rack()
    await rack.lot(attests=(AttestationKind.CONSENT, AttestationKind.JPKI))
    await rack.looked_up()
    told = {"lot": LOT, "revoked": ["jpki"]}
    newer = Entry(kind=EntryKind.ATTESTATION_WITHDRAWN, at=rack.clock.now(), data=told)
    await rack.ledger.append(newer)
    await rack.store.recall()
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone(jpki_capable=True))
        await rack.world.until_asked(Gate.JPKI)
