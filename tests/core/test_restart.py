"""A daemon that died is followed by another on the same ledger: nothing passes on trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import anyio
import pytest

from benchd.domain.ids import DeviceAddress, JobId
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.pipelines.ports import Handset
from benchd.pipelines.recovery import close_open_jobs, keep_certificates
from benchd.proof.job_history import ending_of, fold_job
from benchd.slots.admission import MOST_S, QUIET_S, RollCall
from tests.intake.lots import LOT

from .lot_rack import BOTH, Rack
from .world import (
    MTP_ONLY,
    STAGES,
    FakeIssuer,
    MemoryLedger,
    Phone,
    World,
    ended,
    phone_like,
    second_world,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

BROKEN = (Outcome.FAILED, Disposition.HOLD, Reason.RECORD_BROKEN)


async def first_daemon(*, until: StageName | None, phone: Phone | None = None) -> World:
    """Runs a job until a stage (or its end), then the daemon dies as by kill -9."""
    world = World()
    async with world.running():
        world.silent_in = until
        world.ports["A1"].plug(phone or Phone())
        if until is None:
            await world.finished()
        else:
            await world.until_stage(until)
            await anyio.sleep(0.01)
        # What a dead daemon still wanted to write isn't written.
        before = len(world.ledger.stored)
    del world.ledger.stored[before:]
    return world


def phone_of(world: World) -> Phone:
    phone = world.ports["A1"].phone
    assert phone is not None
    return phone


LASTING = [s for s in STAGES if s not in (StageName.FELICA_CLEAR, StageName.CERTIFY)]
"""Stages that last long enough to die in: an unused chip isn't cleared, and signing is instant."""


@pytest.mark.parametrize("stage", LASTING)
async def test_an_open_job_is_interrupted_and_run_again_from_the_start(stage: StageName) -> None:
    first = await first_daemon(until=stage)
    phone = phone_of(first)
    phone.calls.clear()
    second = second_world(first, first.ledger)
    assert await close_open_jobs(first.ledger, second.clock) == 1
    assert [end["outcome"] for end in ended(second)] == [Outcome.INTERRUPTED]
    async with second.running():
        if stage in (StageName.OBSERVE, StageName.CONFIRM):
            # The final reset took adb away; what it proved died with the first daemon.
            await second.until_problem(ProblemCode.ADB_DISABLED)
            second.ports["A1"].unplug()
            second.ports["A1"].plug(phone)
        view = await second.finished()
        assert (view.outcome, view.occupancy) == (Outcome.PASSED, 1)
        assert phone.calls["fill"] == 1


async def test_a_passed_handset_that_never_left_is_shown_as_passed_again() -> None:
    first = await first_daemon(until=None)
    phone_of(first).calls.clear()
    second = second_world(first, first.ledger)
    assert await close_open_jobs(first.ledger, second.clock) == 0
    async with second.running():
        view = await second.finished()
        assert (view.outcome, view.job) == (Outcome.PASSED, first.view().job)
        await second.take_out()
    assert not phone_of(first).calls
    # A certificate that was not written out is written at start.
    issuer = FakeIssuer()
    assert await keep_certificates(first.ledger, issuer, 10) == [first.view().job]
    assert issuer.kept == first.issuer.kept


@pytest.mark.parametrize("forged", [False, True])
async def test_a_handset_plugged_while_nobody_looked_is_never_taken_for_the_passed_one(
    forged: bool,
) -> None:
    """Nor where somebody takes away what came after, and writes that it lies there still."""
    first = await first_daemon(until=None)
    ledger = first.ledger
    second = second_world(first, ledger)
    # The same serial, the same port, but another enumeration: it may be any handset.
    second.ports["A1"].enumeration = 999
    second.ports["A1"].interfaces = MTP_ONLY
    if forged:
        opened = ledger.of(EntryKind.OCCUPANCY_OPENED)[0].entry
        lies_there = {**opened.data, "attachment": "boot:999"}
        await ledger.append(replace(opened, kind=EntryKind.ATTACHMENT_CHANGED, data=lies_there))
    async with second.running():
        view = await second.until_state(SlotState.WAITING)
        assert (view.outcome, view.disposition, view.occupancy) == (None, None, 2)
    if not forged:
        assert ledger.of(EntryKind.OCCUPANCY_CLOSED)[0].entry.data == {"noticed": "at_start"}
    assert phone_of(first).calls["fill"] == 1


async def test_a_stopping_daemon_settles_its_jobs() -> None:
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_stage(StageName.OVERWRITE)
    [end] = ended(world)
    assert (end["outcome"], end["reason"]) == (Outcome.ABORTED, Reason.DAEMON_STOPPED)


async def test_a_rack_without_an_administrator_settles_what_was_open_and_begins_nothing() -> None:
    """As after an upgrade from names alone to people."""
    first = await first_daemon(until=StageName.CONFIRM)
    ledger, phone = first.ledger, phone_of(first)
    phone.calls.clear()
    second = second_world(first, ledger)
    second.parts.admission.hold(ProblemCode.NO_ADMINISTRATOR)
    assert await close_open_jobs(ledger, second.clock) == 1
    async with second.running():
        second.ports["A1"].unplug()
        second.ports["A1"].plug(phone)
        await second.until_state(SlotState.WAITING)
        await anyio.sleep(3600)
        await second.until_problem(ProblemCode.NO_ADMINISTRATOR)
        assert len(ledger.of(EntryKind.JOB_OPENED)) == 1
        assert not {"fill", "reset"} & set(phone.calls)
        second.parts.admission.release(ProblemCode.NO_ADMINISTRATOR)
        assert (await second.finished()).outcome is Outcome.PASSED
    assert [end["outcome"] for end in ended(second)] == [Outcome.INTERRUPTED, Outcome.PASSED]


# A record that somebody has changed


def rewrite(
    ledger: MemoryLedger, kind: EntryKind, job: JobId | None, change: Mapping[str, object]
) -> None:
    for index, stored in enumerate(ledger.stored):
        if stored.entry.kind is kind and stored.entry.job == job:
            data = {**stored.entry.data, **change}
            ledger.stored[index] = replace(stored, entry=replace(stored.entry, data=data))  # type: ignore[arg-type]


@pytest.mark.parametrize("certificate", [None, "", "{}", '{"job": "another"}', "\ud800"])
async def test_a_changed_end_is_never_shown_as_sellable(certificate: str | None) -> None:
    """Of a handset that is to be destroyed; nor does it make a certificate's file."""
    first = await first_daemon(until=None, phone=Phone(signs=("su at /system/xbin/su",)))
    assert first.view().disposition is Disposition.DESTROY
    forged = {"outcome": "passed", "disposition": "sellable", "reason": None}
    change = {**forged, "certificate": certificate}
    rewrite(first.ledger, EntryKind.JOB_ENDED, first.view().job, change)
    second = second_world(first, first.ledger)
    async with second.running():
        view = await second.finished()
        assert (view.outcome, view.disposition, view.reason) == BROKEN
    issuer = FakeIssuer()
    assert await keep_certificates(first.ledger, issuer, 10) == []
    assert issuer.kept == {}


# Going back a release: what the next one has written breaks the record of its job, and no more.

NEWER = EntryKind.read("handset_weighed")
CHANGES: dict[str, tuple[EntryKind, Mapping[str, object]]] = {
    "a kind of record": (NEWER, {}),
    "a stage": (EntryKind.STAGE_ENDED, {"stage": "look/deep"}),
    "an outcome of a stage": (EntryKind.STAGE_ENDED, {"outcome": "postponed"}),
    "a form of evidence": (EntryKind.STAGE_ENDED, {"form": 99}),
    "an outcome": (EntryKind.JOB_ENDED, {"outcome": "postponed"}),
    "a disposition": (EntryKind.JOB_ENDED, {"disposition": "refurbish"}),
    "a reason": (EntryKind.JOB_ENDED, {"reason": "too_heavy"}),
}


async def sold_by_next(what: str = "") -> tuple[World, JobId]:
    """A rack that has sold the handset in its first slot; the next release wrote one record."""
    world = World(slots=2)
    job = (await world.sells()).job
    assert job is not None
    ledger = world.ledger
    if what == "a kind of record":
        at = next(i for i, s in enumerate(ledger.stored) if s.entry.kind is EntryKind.JOB_ENDED)
        before = ledger.stored[at - 1]
        ledger.stored[at - 1] = replace(before, entry=replace(before.entry, kind=NEWER))
    elif what:
        kind, change = CHANGES[what]
        rewrite(ledger, kind, job, change)
    return world, job


@pytest.mark.parametrize("what", CHANGES)
async def test_its_slot_waits_for_a_person_and_the_others_work(what: str) -> None:
    first, _ = await sold_by_next(what)
    world = second_world(first, first.ledger)
    async with world.running():
        other = await world.ran(Phone(serial="another"), "A2")
        assert other.disposition is Disposition.SELLABLE
        broken = world.view("A1")
        assert broken.state in (SlotState.FINISHED, SlotState.QUARANTINED)
        assert broken.disposition is not Disposition.SELLABLE
        if broken.state is SlotState.FINISHED:
            assert (broken.outcome, broken.disposition, broken.reason) == BROKEN
        # Whoever takes it out has the slot again.
        assert (await world.ran(Phone(serial="a third"))).disposition is Disposition.SELLABLE


@pytest.mark.parametrize("what", CHANGES)
async def test_nothing_is_told_as_sellable_by_a_record_that_cannot_be_read(what: str) -> None:
    world, job = await sold_by_next(what)
    records = await world.ledger.entries(job)
    end = ending_of(records, FakeIssuer())
    assert end is not None
    assert (end.outcome, end.disposition, end.reason) == BROKEN
    assert fold_job(records, FakeIssuer()).envelope is None
    issuer = FakeIssuer()
    await keep_certificates(world.ledger, issuer, 10)
    assert not issuer.kept


async def test_a_record_of_a_job_that_is_older_than_its_begin_is_folded_as_well() -> None:
    """One list of jobs shows them all: none of them may be what ends it."""
    world, job = await sold_by_next()
    at = next(i for i, s in enumerate(world.ledger.stored) if s.entry.job == job)
    first = world.ledger.stored[at]
    world.ledger.stored.insert(at, replace(first, entry=replace(first.entry, kind=NEWER)))
    told = fold_job(await world.ledger.entries(job), FakeIssuer())
    assert (told.disposition, told.reason) == (Disposition.HOLD, Reason.RECORD_BROKEN)
    assert told.opened_at == first.entry.at


@pytest.mark.parametrize("what", ["a kind of record", "a form of evidence"])
async def test_a_handset_that_the_next_release_knows_more_of_is_held(what: str) -> None:
    """Nobody knows what that says: it may be that the handset is wanted, or was destroyed."""
    first, _ = await sold_by_next(what)
    first.ports["A1"].attached = False
    world = second_world(first, first.ledger)
    async with world.running():
        view = await world.ran(phone_like(phone_of(first)), "A2")
    assert (view.outcome, view.disposition, view.reason) == BROKEN


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
    await rack.lot(attests=BOTH)
    await rack.looked_up()
    told = {"lot": LOT, "revoked": ["jpki"]}
    newer = Entry(kind=EntryKind.ATTESTATION_WITHDRAWN, at=rack.clock.now(), data=told)
    await rack.ledger.append(newer)
    await rack.store.recall()
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone(jpki_capable=True))
        await rack.world.until_asked(Gate.JPKI)


# After a start no job keeps the others from being told of, and no slot keeps a job waiting.


async def released(answers_s: list[float]) -> list[float]:
    """When slots that answer at these moments get on, in seconds since the first."""
    roll_call = RollCall()
    begun = anyio.current_time()
    told = dict.fromkeys(range(len(answers_s)), 0.0)

    async def slot(number: int) -> None:
        await anyio.sleep(answers_s[number])
        await roll_call.answer()
        told[number] = round(anyio.current_time() - begun, 3)

    async with anyio.create_task_group() as group:
        for number in told:
            group.start_soon(slot, number)
    return list(told.values())


@pytest.mark.parametrize(
    ("answers_s", "on_s"),
    [([0], [QUIET_S]), ([0, 0.2, 0.4], [0.9, 0.8, 0.7]), ([0, 0.2, 2], [0.6, 0.5, 2.3])],
    ids=["alone it waits a moment", "all wait for the last", "and for none that takes its time"],
)
async def test_slots_wait_for_each_other(answers_s: list[float], on_s: list[float]) -> None:
    assert await released(answers_s) == on_s


async def test_the_roll_call_is_over_at_some_time_and_stays_so() -> None:
    told = await released([step / 10 for step in range(80)])
    assert told[0] == MOST_S
    assert told[51:] == [step / 10 for step in range(51, 80)]


async def cut_off(slots: int) -> World:
    """A daemon has died while its handsets were filled: the next one, on the same ledger."""
    first = World(slots)
    async with first.running():
        await first.at_work()
        before = len(first.ledger.stored)
    del first.ledger.stored[before:]
    second = second_world(first, first.ledger)
    assert await close_open_jobs(first.ledger, second.clock) == slots
    return second


def slow_to_open(world: World, seconds: dict[str, float]) -> None:
    """Slots whose handset answers adb so much later than the others."""
    open_at_once = world.access.open

    async def open_late(address: DeviceAddress) -> Handset:
        await anyio.sleep(seconds.get(world.port_at(address).slot, 0))
        return await open_at_once(address)

    world.access.open = open_late


async def test_each_slot_is_told_of_before_a_job_gets_on() -> None:
    world = await cut_off(4)
    since = len(world.ledger.stored)
    slow_to_open(world, {"A2": 0.2, "A3": 0.4, "A4": 0.6})
    async with world.running():
        for slot in world.ports:
            await world.finished(slot)
    kinds = [stored.entry.kind for stored in world.ledger.stored[since:]]
    opened = [place for place, kind in enumerate(kinds) if kind is EntryKind.JOB_OPENED]
    assert len(opened) == 4
    assert opened[-1] < kinds.index(EntryKind.STAGE_STARTED)
    assert [end["outcome"] for end in ended(world)[-4:]] == [Outcome.PASSED] * 4


async def begins_after(world: World, slot: str) -> float:
    """How long a job that is open in a slot waits for its first stage, in seconds."""
    await world.until_state(SlotState.RUNNING, slot)
    told_at = anyio.current_time()
    await world.until(lambda: world.view(slot).stage is not None)
    return anyio.current_time() - told_at


async def test_a_slot_that_hangs_keeps_nobody_waiting() -> None:
    world = await cut_off(2)
    slow_to_open(world, {"A2": 3600})
    async with world.running():
        assert await begins_after(world, "A1") == pytest.approx(QUIET_S)
        await world.finished("A1")
        assert world.view("A2").state is SlotState.SETTLING


async def test_a_handset_that_no_daemon_has_known_waits_for_nobody() -> None:
    world = await cut_off(2)
    world.ports["A2"].enumeration = 999
    async with world.running():
        assert await begins_after(world, "A2") == 0
        assert world.view("A1").stage is None


async def test_what_is_pulled_out_while_it_waits_is_settled() -> None:
    world = await cut_off(1)
    async with world.running():
        await world.until_state(SlotState.RUNNING)
        await world.take_out()
    end = ended(world)[-1]
    assert (end["outcome"], end["reason"]) == (Outcome.ABORTED, Reason.UNPLUGGED)
