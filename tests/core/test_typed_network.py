"""A × that somebody typed stands for the handset, until somebody else or a list knows better."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest

from benchd.domain.errors import CertificateGap, SecondPersonNeeded
from benchd.domain.job import Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import QuestionView
from benchd.proof.erasure import verify_erasure
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.sighting import sighting_of
from benchd.texts.catalogue import Catalogue

from .lot_rack import GOOD, Data, Rack, edit
from .world import OTHER_IMEI, Phone

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

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


@pytest.mark.parametrize("known", PHONES)
async def test_careless_x_typed_replugged_and_o_typed_by_the_same_person(known: str) -> None:
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
            await rack.answer("Tanaka", "○")
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
