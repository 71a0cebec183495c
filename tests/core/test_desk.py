"""The desk: whose answer is taken, and what of it stands in the ledger before the job's end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import anyio
import pytest

from benchd.domain.errors import CertificateGap, NotFound, SecondPersonNeeded
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import Entry, EntryKind, Receipt, StoredEntry
from benchd.domain.slot import QuestionView
from benchd.domain.slot_states import SlotState
from benchd.proof.erasure import verify_erasure
from benchd.proof.floors import MOST_S_FROM_LOOK_TO_CONFIRM
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.sighting import sighting_of
from benchd.texts.catalogue import Catalogue
from tests.people.somebody import somebody

from .fake_chips import IN_USE, FakeChip, FakeChipAccess
from .lot_rack import GOOD, Data, Rack, edit
from .world import ANSWER_S, OTHER_IMEI, MemoryLedger, Phone, World, ended, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


NOTE = "○"
"""What the look-up wants of a yes, and no other gate minds."""


class SlowLedger(MemoryLedger):
    """A fake ledger whose disk takes its time over people's answers."""

    async def append(self, entry: Entry) -> Receipt:
        if entry.kind is EntryKind.DECISION:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(3)
        return await super().append(entry)


async def test_an_answer_that_races_an_unplug_stands_before_the_end_of_its_job() -> None:
    world = World(ledger=SlowLedger())
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_question(Gate.JPKI)
        await anyio.sleep(1)
        await world.take_out()
    kinds = [stored.entry.kind for stored in world.ledger.stored]
    assert kinds.index(EntryKind.JOB_ENDED) > len(kinds) - 1 - kinds[::-1].index(EntryKind.DECISION)
    [end] = ended(world)
    assert (end["outcome"], end["reason"]) == (Outcome.ABORTED, Reason.UNPLUGGED)


async def test_an_answer_that_comes_after_the_unplug_is_refused() -> None:
    world = World(ledger=SlowLedger())
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_question(Gate.JPKI)
        await anyio.sleep(0.5)
        world.ports["A1"].unplug()
        await anyio.sleep(0.5)
        with pytest.raises(NotFound):
            await world.decide(Gate.JPKI)
        await world.until_state(SlotState.EMPTY)


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


async def test_item_5_a_question_tells_who_has_answered_before_it_and_until_when_it_waits() -> None:
    world = World()
    world.silent_in = StageName.GATES
    async with world.running():
        world.ports["A1"].plug(Phone())
        first = await world.until_question()
        assert first.answered_by == ()
        assert first.until is not None
        assert timedelta() < first.until - world.clock.now() <= timedelta(seconds=ANSWER_S)
        await world.decide(first.gate, note=NOTE)
        await world.until(lambda: world.view().question not in (None, first))
        then = await world.until_question()
    assert then.answered_by == (somebody("Sato").person,)


# A × that somebody typed stands for the handset, until somebody else or a list knows better.


RESTRICTED = (Outcome.FAILED, Reason.NETWORK_RESTRICTED)


class Typing(Rack):
    """A rack on which people type what they have looked up."""

    @asynccontextmanager
    async def ends(
        self, phone: Phone, end: tuple[object, object] = GOOD
    ) -> AsyncGenerator[QuestionView]:
        """A handset lies in the slot, its network is asked for, and then its job ends so."""
        self.world.silent_in = StageName.GATES
        if self.world.ports["A1"].attached:
            await self.world.take_out()
        self.world.ports["A1"].plug(phone)
        question = await self.world.until_question()
        if question.gate is Gate.SERIAL:
            await self.world.decide(Gate.SERIAL, note=phone.serial)
        yield await self.world.until_question(Gate.NETWORK)
        self.world.back_at_work()
        await self.world.finished()
        assert self.end() == end

    async def answer(self, name: str, sign: str) -> None:
        await self.world.decide(Gate.NETWORK, name, sign, approved=sign != "×")

    async def restricted(self, phone: Phone, name: str = "Sato") -> None:
        async with self.ends(phone, RESTRICTED):
            await self.answer(name, "×")


PHONES: dict[str, Callable[[], Phone]] = {
    "by its IMEI": Phone,
    "by its serial": lambda: Phone(imei=None, telephony=False),
}


@pytest.mark.parametrize("sign", ["○", "△"])
@pytest.mark.parametrize("known", PHONES)
async def test_careless_x_typed_replugged_and_o_typed_by_the_same_person(
    known: str, sign: str
) -> None:
    rack, phone = Typing(), PHONES[known]()
    async with rack.world.running():
        await rack.restricted(phone)
        async with rack.ends(phone) as question:
            # Who has answered × stands in the question, and on record with it.
            assert question.facts["restricted_by"] == "Sato"
            said = Catalogue.load().question(question).what_to_do
            assert "Sato answered no (×)" in said.en
            assert "Satoさんが" in said.ja
            with pytest.raises(SecondPersonNeeded, match="another person looks it up"):
                await rack.answer("Sato", "○")
            # It's still theirs to say × once more; somebody else may say otherwise.
            await rack.answer("Tanaka", sign)
        asked = rack.world.questions(Gate.NETWORK)
        assert ["restricted_by" in told["facts"] for told in asked] == [False, True]
        # Whoever has been overruled may answer again.
        async with rack.ends(phone) as question:
            assert "restricted_by" not in question.facts
            await rack.answer("Sato", "○")


async def test_two_who_said_x_dont_overrule_each_other_with_nothing() -> None:
    rack, phone = Typing(), Phone()
    async with rack.world.running():
        await rack.restricted(phone)
        await rack.restricted(phone, "Tanaka")
        async with rack.ends(phone):
            # Sato overrules Tanaka, but not their own ×.
            with pytest.raises(SecondPersonNeeded):
                await rack.answer("Sato", "○")
            await rack.answer("Kato", "○")


async def test_another_handset_is_asked_about_by_whoever() -> None:
    rack = Typing()
    async with rack.world.running():
        await rack.restricted(Phone())
        async with rack.ends(Phone(serial="OTHER", imei=OTHER_IMEI)) as question:
            assert "restricted_by" not in question.facts
            await rack.answer("Sato", "○")


@pytest.mark.parametrize("newer", [True, False])
async def test_a_list_overrules_it_only_by_a_newer_look_up(*, newer: bool) -> None:
    """What was typed is newer than the list of yesterday: that isn't gone by any more."""
    rack, phone = Typing(), Phone()
    await rack.lot()
    async with rack.world.running():
        await rack.restricted(phone, "Kato")
        await rack.world.take_out()
        await anyio.sleep(3600)
        await rack.looked_up("○", at="2026-11-24 09:30" if newer else "2026-11-23 10:00")
        assert await rack.visit(phone) == GOOD
    assert rack.asked().count(Gate.NETWORK) == (1 if newer else 2)


async def test_careless_the_proof_finds_a_yes_of_whoever_had_answered_x() -> None:
    """Whatever a stage says."""
    rack, phone = Typing(), Phone()
    async with rack.world.running():
        await rack.restricted(phone)
        async with rack.ends(phone):
            await rack.answer("Tanaka", "○")
        job, records, intake = await rack.proof()
    others = await records_of_handset(rack.ledger, sighting_of(job, records))
    verify_erasure(job, records, intake, others)

    def by_sato(data: Data) -> None:
        if data["gate"] == Gate.NETWORK:
            data.update(operator="Sato", person="sato")

    edit(records, EntryKind.DECISION, by_sato)
    with pytest.raises(CertificateGap, match="Sato answered × in job"):
        verify_erasure(job, records, intake, others)


# A handset that lay in its slot overnight is looked at once more before it is confirmed.


HOUR_S = 3600.0


def patient() -> World:
    """A rack that waits over a weekend for whoever confirms."""
    made = make_recipe()
    stages = tuple(
        replace(spec, deadline_s=96 * HOUR_S) if spec.name is StageName.CONFIRM else spec
        for spec in made.stages
    )
    return World(recipe=replace(made, stages=stages))


async def waits(world: World, for_s: float) -> None:
    """The handset waits so long to be confirmed, by people who have gone home."""
    world.silent_in = StageName.CONFIRM
    world.ports["A1"].plug(Phone())
    await world.until_question(Gate.CONFIRM)
    await anyio.sleep(for_s)


async def looked_at_again(world: World, by: str, confirms: str = "Suzuki") -> None:
    await world.until_question(Gate.OBSERVE)
    await world.decide(Gate.OBSERVE, by)
    await world.until_question(Gate.CONFIRM)
    await world.decide(Gate.CONFIRM, confirms)


@pytest.mark.parametrize(("made", "hours", "by"), [(World, 20, "Sato"), (patient, 62, "Mori")])
async def test_careless_20_h_between_observe_and_confirm_are_looked_at_again(
    made: Callable[[], World], hours: float, by: str
) -> None:
    """Friday evening to Monday is one more answer, and no erasure."""
    world = made()
    async with world.running():
        await waits(world, hours * HOUR_S)
        began_s = anyio.current_time()
        await looked_at_again(world, by)
        assert (await world.finished()).disposition is Disposition.SELLABLE
        assert anyio.current_time() - began_s < 5


async def test_within_a_shift_nobody_is_asked_anything_more() -> None:
    world = World()
    async with world.running():
        await waits(world, MOST_S_FROM_LOOK_TO_CONFIRM - 60)
        await world.decide(Gate.CONFIRM, "Suzuki")
        assert (await world.finished()).disposition is Disposition.SELLABLE
    assert world.asked().count(Gate.OBSERVE) == 1


async def test_whoever_looked_again_does_not_confirm_it_too() -> None:
    world = World()
    async with world.running():
        await waits(world, 20 * HOUR_S)
        with pytest.raises(SecondPersonNeeded):
            await looked_at_again(world, "Suzuki")


async def test_what_is_not_as_its_reset_left_it_any_more_is_held() -> None:
    world = World()
    async with world.running():
        await waits(world, 20 * HOUR_S)
        await world.decide(Gate.OBSERVE, approved=False)
        world.must_not_pass(await world.finished(), Reason.FINAL_RESET_NOT_PROVEN)


async def test_a_chip_that_was_used_overnight_is_seen() -> None:
    chip = FakeChip()
    world = World(chips=FakeChipAccess({"A1": chip}))
    async with world.running():
        await waits(world, 0)
        chip.looks = IN_USE
        await anyio.sleep(20 * HOUR_S)
        await world.decide(Gate.OBSERVE)
        view = await world.finished()
    assert view.outcome is Outcome.FAILED
    assert not world.certified()


def told(records: list[StoredEntry], **again: Any) -> list[StoredEntry]:  # noqa: ANN401
    """The same with another last look."""

    def each(data: Data) -> None:
        if data["stage"] == StageName.CONFIRM:
            evidence = data["evidence"]
            evidence["again"] = None if "none" in again else {**evidence["again"], **again}

    changed = list(records)
    edit(changed, EntryKind.STAGE_ENDED, each)
    return changed


async def test_careless_every_lie_about_the_last_look_is_a_gap() -> None:
    world = World(chips=FakeChipAccess({"A1": FakeChip()}))
    async with world.running():
        await waits(world, 20 * HOUR_S)
        await looked_at_again(world, "Sato")
        assert (await world.finished()).disposition is Disposition.SELLABLE
    job, records = await world.proof()
    verify_erasure(job, told(records))
    evidence = world.evidence(StageName.CONFIRM)
    look, chip = evidence["again"]["answer"], evidence["again"]["chip"]
    lies: dict[str, Data] = {
        "shortly before": {"none": True},
        "isn't on record": {"answer": {**look, "person": "mori"}},
        "last look at the handset isn't": {"answer": {**look, "at": evidence["answer"]["at"]}},
        "nobody has looked at the chip again": {"chip": None},
        "another chip": {"chip": {**chip, "chip": "0" * 64}},
        "isn't unused": {"chip": {**chip, "verdict": "in_use"}},
        "field wasn't off": {"chip": {**chip, "power_cycled": False}},
    }
    for gap, lie in lies.items():
        with pytest.raises(CertificateGap, match=gap):
            verify_erasure(job, told(records, **lie))
