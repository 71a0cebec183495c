"""A × that somebody typed stands for the handset, until somebody else or a list knows better."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest

from benchd.domain.errors import CertificateGap, SecondPersonNeeded
from benchd.domain.job import Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.slot import QuestionView
from benchd.domain.slot_states import SlotState
from benchd.proof.erasure import verify_erasure
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.sighting import sighting_of
from benchd.texts.catalogue import Catalogue
from tests.people.somebody import somebody

from .lot_rack import Rack
from .world import Phone, ended

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

GOOD = (Outcome.PASSED, None)
RESTRICTED = (Outcome.FAILED, Reason.NETWORK_RESTRICTED)


@asynccontextmanager
async def asked(rack: Rack, phone: Phone) -> AsyncGenerator[QuestionView]:
    """A handset lies in the slot, and its network restriction is asked for."""
    rack.world.silent_in = StageName.GATES
    if rack.ledger.of(EntryKind.JOB_OPENED):
        await rack.world.take_out()
    rack.world.ports["A1"].plug(phone)
    view = await rack.world.until_state(SlotState.AWAITING_OPERATOR)
    if view.question is not None and view.question.gate is Gate.SERIAL and view.job is not None:
        by = somebody("Sato")
        await rack.world.desk.decide(view.job, Gate.SERIAL, approved=True, by=by, note=phone.serial)
    await rack.world.until(lambda: _gate(rack) is Gate.NETWORK)
    question = rack.world.view().question
    assert question is not None
    yield question
    rack.world.back_at_work()
    await rack.world.until_state(SlotState.FINISHED)


def _gate(rack: Rack) -> Gate | None:
    question = rack.world.view().question
    return question.gate if question else None


async def answer(rack: Rack, name: str, sign: str) -> None:
    job = rack.world.view().job
    assert job is not None
    by = somebody(name)
    await rack.world.desk.decide(job, Gate.NETWORK, approved=sign != "×", by=by, note=sign)


async def restricted(rack: Rack, phone: Phone, name: str = "Sato") -> None:
    async with asked(rack, phone):
        await answer(rack, name, "×")
    assert end(rack) == RESTRICTED


def end(rack: Rack) -> tuple[object, object]:
    told = ended(rack.world)[-1]
    assert told["reason"] != Reason.PROOF_INCOMPLETE, told["detail"]
    return told["outcome"], told["reason"]


PHONES: dict[str, Callable[[], Phone]] = {
    "by its IMEI": Phone,
    "by its serial": lambda: Phone(imei=None, telephony=False),
}


@pytest.mark.parametrize("known", PHONES)
async def test_careless_x_typed_replugged_and_o_typed_by_the_same_person(known: str) -> None:
    rack = Rack()
    phone = PHONES[known]()
    rack.world.silent_in = None
    async with rack.world.running():
        await restricted(rack, phone)
        async with asked(rack, phone) as question:
            # Who has answered × stands in the question, and on record with it.
            assert question.facts["restricted_by"] == "Sato"
            said = Catalogue.load().question(question).what_to_do
            assert "Sato answered no (×)" in said.en
            assert "Satoさんが" in said.ja
            with pytest.raises(SecondPersonNeeded, match="another person looks it up"):
                await answer(rack, "Sato", "○")
            # It's still theirs to say × once more; somebody else may say otherwise.
            await answer(rack, "Tanaka", "○")
        assert end(rack) == GOOD
    facts = [
        s.entry.data["facts"]
        for s in rack.ledger.of(EntryKind.QUESTION_ASKED)
        if s.entry.data["gate"] == Gate.NETWORK
    ]
    assert ["restricted_by" in told for told in facts] == [False, True]  # type: ignore[operator]


async def test_whoever_has_been_overruled_may_answer_again() -> None:
    rack, phone = Rack(), Phone()
    async with rack.world.running():
        await restricted(rack, phone)
        async with asked(rack, phone):
            await answer(rack, "Tanaka", "△")
        assert end(rack) == GOOD
        async with asked(rack, phone) as question:
            assert "restricted_by" not in question.facts
            await answer(rack, "Sato", "○")
        assert end(rack) == GOOD


async def test_two_who_said_x_dont_overrule_each_other_with_nothing() -> None:
    rack, phone = Rack(), Phone()
    async with rack.world.running():
        await restricted(rack, phone)
        await restricted(rack, phone, "Tanaka")
        async with asked(rack, phone):
            # Sato overrules Tanaka, but not their own ×.
            with pytest.raises(SecondPersonNeeded):
                await answer(rack, "Sato", "○")
            await answer(rack, "Kato", "○")
        assert end(rack) == GOOD


async def test_another_handset_is_asked_about_by_whoever() -> None:
    rack = Rack()
    async with rack.world.running():
        await restricted(rack, Phone())
        async with asked(rack, Phone(serial="OTHER", imei="352099001761481")) as question:
            assert "restricted_by" not in question.facts
            await answer(rack, "Sato", "○")
        assert end(rack) != RESTRICTED


@pytest.mark.parametrize("newer", [True, False])
async def test_a_list_overrules_it_only_by_a_newer_look_up(*, newer: bool) -> None:
    """What was typed is newer than the list of yesterday: that isn't gone by any more."""
    rack, phone = Rack(), Phone()
    await rack.lot()
    async with rack.world.running():
        await restricted(rack, phone, "Kato")
        await rack.world.take_out()
        await anyio.sleep(3600)
        await rack.looked_up("○", at="2026-11-24 09:30" if newer else "2026-11-23 10:00")
        assert await rack.visit(phone) == GOOD
    assert rack.asked().count(Gate.NETWORK) == (1 if newer else 2)


# The proof, whatever a stage says.


def same_person(records: list[StoredEntry]) -> None:
    for index, record in enumerate(records):
        if record.entry.kind is EntryKind.DECISION and record.entry.data["gate"] == Gate.NETWORK:
            data = {**record.entry.data, "operator": "Sato", "person": "sato"}
            records[index] = replace(record, entry=replace(record.entry, data=data))


async def test_careless_the_proof_finds_a_yes_of_whoever_had_answered_x() -> None:
    rack, phone = Rack(), Phone()
    async with rack.world.running():
        await restricted(rack, phone)
        async with asked(rack, phone):
            await answer(rack, "Tanaka", "○")
        assert end(rack) == GOOD
        job, records, intake = await rack.proof()
    others = await records_of_handset(rack.ledger, sighting_of(job, records))
    verify_erasure(job, records, intake, others)
    mine = list(records)
    same_person(mine)
    with pytest.raises(CertificateGap, match="Sato answered × in job"):
        verify_erasure(job, mine, intake, others)
