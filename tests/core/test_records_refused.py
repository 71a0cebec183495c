"""A record that the ledger can't keep is the trouble of its job, and of nobody else."""

from __future__ import annotations

from datetime import datetime

import pytest

from benchd.domain.errors import AnswerNotRecognised
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, Outcome, Reason, StageName
from benchd.proof.erasure import VerifiedErasure

from .world import FakeIssuer, Phone, World, ended, ending, failing

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

TOO_MUCH = "x" * (1 << 20)
HELD = (Outcome.FAILED, Disposition.HOLD, Reason.RECORD_REFUSED)


async def test_row_11_an_answer_that_is_too_large_ends_its_job_and_no_other() -> None:
    """It ends like that at every replug, and the slot goes on."""
    world = World(slots=2)
    async with world.running():
        world.ports["A2"].plug(Phone(serial="neighbour"))
        for _ in range(3):
            # A megabyte where a few words are meant.
            assert ending(await world.ran(Phone(serial="talkative", signs=(TOO_MUCH,)))) == HELD
        assert (await world.finished("A2")).disposition is Disposition.SELLABLE
        assert (await world.ran(Phone(serial="honest"))).disposition is Disposition.SELLABLE
    # The stage has an end that says why in short.
    stages = world.attempts(StageName.INSPECT)
    stage = next(told for told in stages if told["outcome"] == Outcome.FAILED)
    assert stage["because"] == Reason.RECORD_REFUSED
    assert stage["evidence"] == {}
    assert len(str(stage)) < 1000


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
