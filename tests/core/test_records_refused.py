"""A record that the ledger can't keep is the trouble of its job, and of nobody else."""

from __future__ import annotations

from datetime import datetime

import pytest

from benchd.domain.errors import AnswerNotRecognised
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.proof.erasure import VerifiedErasure
from tests.core.world import FakeIssuer, Phone, World, ended

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

TOO_MUCH = "x" * (1 << 20)


def talkative() -> Phone:
    """A handset that answers with a megabyte where a few words are meant."""
    return Phone(serial="talkative", signs=(TOO_MUCH,))


async def end_of(world: World, phone: Phone, slot: str = "A1") -> SlotView:
    return await world.ran(phone, slot)


def is_held(view: SlotView) -> bool:
    return (view.outcome, view.disposition, view.reason) == (
        Outcome.FAILED,
        Disposition.HOLD,
        Reason.RECORD_REFUSED,
    )


async def test_row_11_an_answer_that_is_too_large_ends_its_job_and_no_other() -> None:
    world = World(slots=2)
    async with world.running():
        world.ports["A2"].plug(Phone(serial="neighbour"))
        assert is_held(await end_of(world, talkative()))
        neighbour = await world.until_state(SlotState.FINISHED, "A2")
        assert neighbour.disposition is Disposition.SELLABLE


async def test_row_11_it_ends_like_that_at_every_replug_and_the_slot_goes_on() -> None:
    world = World()
    async with world.running():
        for _ in range(3):
            assert is_held(await end_of(world, talkative()))
            await world.take_out()
        honest = await end_of(world, Phone(serial="honest"))
        assert honest.disposition is Disposition.SELLABLE


async def test_the_stage_has_an_end_that_says_why_in_short() -> None:
    world = World()
    async with world.running():
        await end_of(world, talkative())
    [stage] = [stored.entry.data for stored in world.ledger.of(EntryKind.STAGE_ENDED)]
    assert (stage["stage"], stage["outcome"]) == (StageName.INSPECT, Outcome.FAILED)
    assert (stage["because"], stage["evidence"]) == (Reason.RECORD_REFUSED, {})
    assert len(str(stage)) < 1000


async def test_a_fault_that_is_told_at_length_is_cut() -> None:
    async def refuse(_: Phone) -> None:
        raise AnswerNotRecognised(TOO_MUCH)

    world = World()
    async with world.running():
        view = await end_of(world, Phone(faults={"inspect": refuse}))
        assert view.reason is Reason.ANSWER_NOT_RECOGNISED
    assert all(len(str(stored.entry.data)) < 2000 for stored in world.ledger.stored)


async def test_a_handset_that_is_refused_at_length_is_held() -> None:
    world = World()
    async with world.running():
        view = await end_of(world, Phone(unfit=AnswerNotRecognised(TOO_MUCH)))
        assert view.reason is Reason.ANSWER_NOT_RECOGNISED


class HeavyIssuer(FakeIssuer):
    """A fake signer whose certificate is more than one record holds."""

    def issue(self, erasure: VerifiedErasure, at: datetime) -> bytes:
        return super().issue(erasure, at).ljust(len(TOO_MUCH))


async def test_a_certificate_that_no_record_holds_certifies_nothing() -> None:
    world = World()
    issuer = HeavyIssuer(world)
    object.__setattr__(world.parts, "issuer", issuer)
    async with world.running():
        assert is_held(await end_of(world, Phone()))
    assert ended(world)[-1]["certificate"] is None
    assert issuer.kept == dict[JobId, bytes]()
