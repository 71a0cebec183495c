"""What is kept of a job: records that the ledger takes, a dossier, and nothing after its end."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import anyio
import pytest

from benchd.domain.errors import (
    AnswerNotRecognised,
    HandsetStalled,
    UnsupportedHandset,
)
from benchd.domain.evidence_json import FORM
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, Outcome, Reason, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.slot_states import SlotState
from benchd.pipelines.certificate_inputs import AT_ONCE
from benchd.pipelines.recipe import Recipe
from benchd.pipelines.runner import DOSSIER_WITHIN_S
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.erasure import VerifiedErasure
from benchd.proof.job_history import fold_job

from .rechecks import RecheckRack
from .world import (
    MIB,
    SOLD,
    FakeHandset,
    FakeIssuer,
    MemoryLedger,
    Phone,
    World,
    ended,
    ending,
    failing,
    make_recipe,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

TOO_MUCH = "x" * (1 << 20)
HELD = (Outcome.FAILED, Disposition.HOLD, Reason.RECORD_REFUSED)


async def test_row_11_an_answer_that_is_too_large_ends_its_job_and_no_other() -> None:
    """It ends like that at every replug, and the slot goes on."""
    world = World(slots=2)
    async with world.running():
        world.ports["A2"].plug(Phone(serial="neighbour"))
        for _ in range(3):
            # A megabyte where a few words are meant.
            view = await world.ran(Phone(serial="talkative", signs=(TOO_MUCH,)))
            assert ending(view) == HELD
            # The stage has an end that says why in short, and is the only one.
            ends = [s.entry for s in world.ledger.of(EntryKind.STAGE_ENDED)]
            [stage] = [entry.data for entry in ends if entry.job == view.job]
            assert (stage["stage"], stage["outcome"]) == (StageName.INSPECT, Outcome.FAILED)
            assert (stage["because"], stage["evidence"]) == (Reason.RECORD_REFUSED, {})
            assert len(str(stage)) < 1000
        assert (await world.finished("A2")).disposition is Disposition.SELLABLE
        assert (await world.ran(Phone(serial="honest"))).disposition is Disposition.SELLABLE


@pytest.mark.parametrize(
    "phone",
    [
        Phone(faults=failing("inspect", AnswerNotRecognised(TOO_MUCH))),
        Phone(unfit=AnswerNotRecognised(TOO_MUCH)),
    ],
    ids=["a fault", "a handset that is refused"],
)
async def test_what_is_told_at_length_is_cut(phone: Phone) -> None:
    world = World()
    await world.refuses(phone, Reason.ANSWER_NOT_RECOGNISED)
    assert all(len(str(stored.entry.data)) < 2000 for stored in world.ledger.stored)


class HeavyIssuer(FakeIssuer):
    """A fake signer whose certificate is more than one record holds."""

    def issue(self, erasure: VerifiedErasure, at: datetime) -> bytes:
        return super().issue(erasure, at).ljust(len(TOO_MUCH))


async def test_a_certificate_that_no_record_holds_certifies_nothing() -> None:
    world = World()
    issuer = HeavyIssuer(world)
    object.__setattr__(world.parts, "issuer", issuer)
    assert ending(await world.end_of()) == HELD
    assert ended(world)[-1]["certificate"] is None
    assert issuer.kept == dict[JobId, bytes]()


# A handset that isn't understood leaves its answers on the rack, and its job ends no worse.


def with_fault(call: str, kind: type[Exception]) -> Phone:
    return Phone(used_bytes=30 * MIB, faults=failing(call, kind("odd")))


@pytest.mark.parametrize("call", ["inspect", "reset_facts"])
@pytest.mark.parametrize("kind", [AnswerNotRecognised, UnsupportedHandset])
async def test_what_is_not_understood_is_kept_and_named(call: str, kind: type[Exception]) -> None:
    world, phone = World(), with_fault(call, kind)
    view = await world.end_of(phone)
    assert (view.outcome, view.disposition) == (Outcome.FAILED, Disposition.HOLD)
    assert view.dossier == view.job
    assert phone.dossiers == ["odd"]
    assert view.job is not None
    records = await world.ledger.entries(view.job)
    assert fold_job(records, world.issuer).dossier == view.job


@pytest.mark.parametrize(
    ("call", "kind", "reason"),
    [
        ("fill", AnswerNotRecognised, Reason.ANSWER_NOT_RECOGNISED),
        ("check", AnswerNotRecognised, Reason.ANSWER_NOT_RECOGNISED),
        ("inspect", HandsetStalled, Reason.HANDSET_STALLED),
    ],
)
async def test_after_the_reset_or_another_failure_nothing_is_left_to_keep(
    call: str, kind: type[Exception], reason: Reason
) -> None:
    phone = with_fault(call, kind)
    view = await World().refuses(phone, reason)
    assert view.dossier is None
    assert phone.dossiers == []


@pytest.mark.parametrize("leaves", [True, False])
async def test_one_that_takes_too_long_or_fails_changes_nothing(leaves: bool) -> None:
    phone = with_fault("inspect", AnswerNotRecognised)
    phone.leaves_dossiers = leaves
    phone.dossier_takes_s *= 100 * DOSSIER_WITHIN_S if leaves else 1
    view = await World().refuses(phone, Reason.ANSWER_NOT_RECOGNISED)
    assert view.dossier is None


async def test_who_pulls_the_cable_meanwhile_ends_the_job_as_ever() -> None:
    world = World()

    async def pulled(_phone: Phone) -> None:
        world.ports["A1"].unplug()
        raise AnswerNotRecognised("odd")

    phone = Phone(faults={"inspect": pulled}, dossier_takes_s=DOSSIER_WITHIN_S / 2)
    async with world.running():
        world.ports["A1"].plug(phone)
        await world.until(lambda: phone.calls["inspect"] > 0)
        await world.until_state(SlotState.EMPTY)
    assert phone.dossiers == []


# Nothing is kept of a job that has ended, and few at once of those that certify.


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


A_DAY_S = 86400.0


class UnreadableFrom(MemoryLedger):
    """A fake ledger whose evidence is of a form that nobody reads once this stage has begun."""

    def __init__(self, stage: StageName) -> None:
        super().__init__()
        self._stage = stage

    async def entries(self, job: JobId) -> Sequence[StoredEntry]:
        started = self.of(EntryKind.STAGE_STARTED)
        if all(each.entry.data["stage"] != self._stage for each in started):
            return await super().entries(job)
        return [
            replace(told, entry=replace(told.entry, data={**told.entry.data, "form": FORM + 1}))
            if told.entry.kind is EntryKind.STAGE_ENDED
            else told
            for told in await super().entries(job)
        ]


async def test_what_certify_cannot_read_is_a_gap_of_the_proof() -> None:
    world = World(ledger=UnreadableFrom(StageName.CERTIFY))
    world.within_s = A_DAY_S
    view = await world.refuses(None, Reason.PROOF_INCOMPLETE)
    assert view.disposition is Disposition.HOLD


async def test_what_certify_drawn_cannot_read_is_one_too() -> None:
    rack = RecheckRack(ledger=UnreadableFrom(StageName.CERTIFY_DRAWN))
    rack.world.within_s = A_DAY_S
    async with rack.drawn() as phone:
        view = await rack.rechecked(phone)
    rack.world.must_not_pass(view, Reason.PROOF_INCOMPLETE)
    assert view.disposition is Disposition.HOLD
