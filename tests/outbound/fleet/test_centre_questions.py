"""Questions over real sockets to a centre that answers some and is silent to others."""

from __future__ import annotations

from datetime import UTC, datetime

import anyio
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.daemon.system_clock import SystemEntropy
from benchd.domain.handset_question import Asked, HandsetQuestion, NotAsked
from benchd.domain.ids import JobId
from benchd.domain.job import StageName
from benchd.ledger.fleet_question import decode_question, encode_answer
from benchd.outbound import http_post
from benchd.outbound.fleet.centre_client import CentreTarget
from benchd.outbound.fleet.centre_questions import CentreQuestions, LazyPoster
from benchd.signing.private_key import SigningKey
from tests.outbound.fleet.sender_rig import CENTRE_KEY
from tests.outbound.hooks.http_receiver import HttpReceiver, answer, receiving

pytestmark = pytest.mark.asyncio

RACK = SigningKey(Ed25519PrivateKey.from_private_bytes(b"\1" * 32))
AT = datetime(2026, 12, 1, 2, tzinfo=UTC)
HANGS = JobId("20261201-hangs")
HEARD = JobId("20261201-heard")


def about(job: JobId) -> HandsetQuestion:
    return HandsetQuestion(
        job=job,
        stage=StageName.GATES,
        imeis=(),
        proven=(),
        is_full=False,
        serial="S1",
        model="sony so-51c",
    )


def says(body: bytes) -> bytes:
    """Nothing to the one, an answer to any other."""
    question = decode_question(body, RACK.ring)
    if question.asks.job == HANGS:
        return b""
    return answer("200 OK", encode_answer(question, (), None, AT, CENTRE_KEY))


class Asking:
    """Asks as the daemon does, and keeps what comes back."""

    def __init__(self, receiver: HttpReceiver, *, slots: int, timeout_s: float) -> None:
        receiver.answer = says
        target = CentreTarget(
            url=receiver.url.partition("/in")[0],
            key=CENTRE_KEY.public,
            client=None,
            authority=None,
            timeout_s=timeout_s,
        )
        self.poster = LazyPoster(target, RACK.ring.rack, slots)
        self._asks = CentreQuestions(self.poster.post, CENTRE_KEY.public, RACK, SystemEntropy())
        self.told: dict[JobId, Asked | NotAsked] = {}

    async def ask(self, job: JobId) -> None:
        self.told[job] = await self._asks.ask(about(job))


async def test_a_question_that_hangs_holds_up_no_other_slots() -> None:
    async with receiving() as receiver:
        asking = Asking(receiver, slots=2, timeout_s=10)
        async with anyio.create_task_group() as group:
            group.start_soon(asking.ask, HANGS)
            await receiver.arrived.wait()
            await asking.ask(HEARD)
            [(job, told)] = asking.told.items()
            assert job == HEARD
            assert isinstance(told, Asked)
            group.cancel_scope.cancel()
        await asking.poster.aclose()


async def test_the_deadline_of_a_question_begins_with_its_turn() -> None:
    async with receiving() as receiver:
        asking = Asking(receiver, slots=1, timeout_s=2)
        async with anyio.create_task_group() as group:
            group.start_soon(asking.ask, HANGS)
            group.start_soon(asking.ask, HEARD)
        await asking.poster.aclose()
    assert asking.told[HANGS] == NotAsked(why="timeout")
    assert isinstance(asking.told[HEARD], Asked)


async def test_a_turn_that_does_not_come_is_waited_for_no_longer_than_its_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_post, "LONGEST_QUEUE_S", 0.05)
    async with receiving() as receiver:
        asking = Asking(receiver, slots=1, timeout_s=10)
        async with anyio.create_task_group() as group:
            group.start_soon(asking.ask, HANGS)
            await receiver.arrived.wait()
            await asking.ask(HEARD)
            assert asking.told == {HEARD: NotAsked(why="no_turn")}
            group.cancel_scope.cancel()
        await asking.poster.aclose()


async def test_slots_that_ask_at_once_open_no_connections_anew_the_next_time() -> None:
    async with receiving() as receiver:
        asking = Asking(receiver, slots=3, timeout_s=10)
        for _ in range(2):
            async with anyio.create_task_group() as group:
                for slot in range(3):
                    group.start_soon(asking.ask, JobId(f"20261201-{slot}"))
        await asking.poster.aclose()
    assert (len(receiver.got), receiver.connections) == (6, 3)
