"""A daemon that died is followed by another on the same ledger: nothing passes on trust."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from benchd.domain.job import Disposition, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.pipelines.recovery import close_open_jobs, keep_certificates

from .world import MTP_ONLY, STAGES, FakeIssuer, MemoryLedger, Phone, World, ended, second_world

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def first_daemon(ledger: MemoryLedger, *, until: StageName | None) -> tuple[World, Phone]:
    """Runs a job until a stage (or its end), then the daemon dies as by kill -9."""
    world = World(ledger=ledger)
    phone = Phone()
    async with world.running():
        world.silent_in = until
        world.ports["A1"].plug(phone)
        if until is None:
            await world.until_state(SlotState.FINISHED)
        else:
            await world.until_stage(until)
            await anyio.sleep(0.01)
        # What a dead daemon still wanted to write isn't written.
        before = len(ledger.stored)
    del ledger.stored[before:]
    return world, phone


LASTING = [s for s in STAGES if s not in (StageName.FELICA_CLEAR, StageName.CERTIFY)]
"""Stages that last long enough to die in: an unused chip isn't cleared, and signing is instant."""


@pytest.mark.parametrize("stage", LASTING)
async def test_an_open_job_is_interrupted_and_run_again_from_the_start(stage: StageName) -> None:
    ledger = MemoryLedger()
    first, phone = await first_daemon(ledger, until=stage)
    phone.calls.clear()
    second = second_world(first, ledger)
    assert await close_open_jobs(ledger, second.clock) == 1
    assert [end["outcome"] for end in ended(second)] == [Outcome.INTERRUPTED]
    async with second.running():
        if stage in (StageName.OBSERVE, StageName.CONFIRM):
            # The final reset took adb away; what it proved died with the first daemon.
            view = await second.until_state(SlotState.WAITING)
            assert view.problem is not None
            assert view.problem.code is ProblemCode.ADB_DISABLED
            second.ports["A1"].unplug()
            second.ports["A1"].plug(phone)
        view = await second.until_state(SlotState.FINISHED)
        assert (view.outcome, view.occupancy) == (Outcome.PASSED, 1)
        assert phone.calls["fill"] == 1


async def test_a_passed_handset_that_never_left_is_shown_as_passed_again() -> None:
    ledger = MemoryLedger()
    first, phone = await first_daemon(ledger, until=None)
    phone.calls.clear()
    second = second_world(first, ledger)
    assert await close_open_jobs(ledger, second.clock) == 0
    async with second.running():
        view = await second.until_state(SlotState.FINISHED)
        assert (view.outcome, view.job) == (Outcome.PASSED, first.view().job)
        await second.take_out()
    assert not phone.calls


async def test_a_handset_plugged_while_nobody_looked_is_never_taken_for_the_passed_one() -> None:
    ledger = MemoryLedger()
    first, phone = await first_daemon(ledger, until=None)
    second = second_world(first, ledger)
    port = second.ports["A1"]
    # The same serial, the same port, but another enumeration: it may be any handset.
    port.enumeration = 999
    port.interfaces = MTP_ONLY
    async with second.running():
        view = await second.until_state(SlotState.WAITING)
        assert (view.outcome, view.occupancy) == (None, 2)
    closed = ledger.of(EntryKind.OCCUPANCY_CLOSED)
    assert closed[0].entry.data == {"noticed": "at_start"}
    assert phone.calls["fill"] == 1


async def test_a_certificate_that_was_not_written_out_is_written_at_start() -> None:
    ledger = MemoryLedger()
    first, _ = await first_daemon(ledger, until=None)
    issuer = FakeIssuer()
    assert await keep_certificates(ledger, issuer, 10) == [first.view().job]
    assert issuer.kept == first.issuer.kept


async def test_a_stopping_daemon_settles_its_jobs() -> None:
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_stage(StageName.OVERWRITE)
    assert (ended(world)[0]["outcome"], ended(world)[0]["reason"]) == (
        Outcome.ABORTED,
        Reason.DAEMON_STOPPED,
    )


async def forged_end(ledger: MemoryLedger, certificate: str | None) -> World:
    """A handset that is to be destroyed, whose record somebody has made into a sellable one."""
    first = World(ledger=ledger)
    phone = Phone(signs=("su at /system/xbin/su",))
    async with first.running():
        view = await first.ran(phone)
        assert view.disposition is Disposition.DESTROY
        before = len(ledger.stored)
    del ledger.stored[before:]
    place = ledger.stored.index(ledger.of(EntryKind.JOB_ENDED)[0])
    stored = ledger.stored[place]
    data = {
        **stored.entry.data,
        "outcome": "passed",
        "disposition": "sellable",
        "reason": None,
        "certificate": certificate,
    }
    ledger.stored[place] = replace(stored, entry=replace(stored.entry, data=data))
    return first


@pytest.mark.parametrize("certificate", [None, "", "{}", '{"job": "another"}', "\ud800"])
async def test_a_changed_end_is_never_shown_as_sellable(certificate: str | None) -> None:
    ledger = MemoryLedger()
    second = second_world(await forged_end(ledger, certificate), ledger)
    async with second.running():
        view = await second.until_state(SlotState.FINISHED)
        assert (view.outcome, view.disposition) == (Outcome.FAILED, Disposition.HOLD)
        assert view.reason is Reason.RECORD_BROKEN


async def test_a_changed_end_makes_no_certificate_file() -> None:
    ledger = MemoryLedger()
    await forged_end(ledger, '{"job": "another"}')
    issuer = FakeIssuer()
    assert await keep_certificates(ledger, issuer, 10) == []
    assert issuer.kept == {}


async def test_another_handset_never_gets_the_end_of_one_that_was_sold() -> None:
    """Somebody takes away what came after a sale, and writes that its handset lies there still."""
    ledger = MemoryLedger()
    first, _ = await first_daemon(ledger, until=None)
    second = second_world(first, ledger)
    second.ports["A1"].enumeration = 999
    second.ports["A1"].interfaces = MTP_ONLY
    opened = ledger.of(EntryKind.OCCUPANCY_OPENED)[0].entry
    lies_there = {**opened.data, "attachment": "boot:999"}
    await ledger.append(replace(opened, kind=EntryKind.ATTACHMENT_CHANGED, data=lies_there))
    async with second.running():
        view = await second.until_state(SlotState.WAITING)
        assert (view.outcome, view.disposition, view.occupancy) == (None, None, 2)


async def test_a_rack_without_an_administrator_settles_what_was_open_and_begins_nothing() -> None:
    """As after an upgrade from names alone to people."""
    ledger = MemoryLedger()
    first, phone = await first_daemon(ledger, until=StageName.CONFIRM)
    phone.calls.clear()
    second = second_world(first, ledger)
    second.parts.admission.hold(ProblemCode.NO_ADMINISTRATOR)
    assert await close_open_jobs(ledger, second.clock) == 1
    async with second.running():
        second.ports["A1"].unplug()
        second.ports["A1"].plug(phone)
        view = await second.until_state(SlotState.WAITING)
        await anyio.sleep(3600)
        view = second.view()
        assert view.problem is not None
        assert view.problem.code is ProblemCode.NO_ADMINISTRATOR
        assert len(ledger.of(EntryKind.JOB_OPENED)) == 1
        assert not {"fill", "reset"} & set(phone.calls)
        second.parts.admission.release(ProblemCode.NO_ADMINISTRATOR)
        assert (await second.until_state(SlotState.FINISHED)).outcome is Outcome.PASSED
    assert [end["outcome"] for end in ended(second)] == [Outcome.INTERRUPTED, Outcome.PASSED]
