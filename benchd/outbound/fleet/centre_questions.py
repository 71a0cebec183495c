"""The rack's questions about handsets to the fleet's centre; bounded, and no answer is trusted.

What isn't signed by the centre's key for this very question is as good as no answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import anyio
import structlog
from anyio import CapacityLimiter, to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchd.domain.handset_question import Asked, HandsetQuestion, NotAsked
from benchd.domain.ports import Entropy
from benchd.ledger.fleet_question import NONCE_BYTES, decode_answer, encode_question
from benchd.outbound.fleet.centre_client import LARGEST_ANSWER_BYTES, CentreTarget
from benchd.outbound.http_post import Failure, Poster
from benchd.signing.private_key import SigningKey

LONGEST_WAIT_S: Final = 10.0
"""A job waits for no answer longer than that from its turn on, whatever the sender's timeout is."""
LONGEST_READING_S: Final = 5.0
"""Nor longer for the certificates to be read."""

_log = structlog.get_logger()

Post = Callable[[bytes], Awaitable[bytes | Failure]]


class CentreQuestions:
    """Implements `benchd.domain.ports.OtherRacks` over whatever posts a question."""

    def __init__(
        self, post: Post, centre: Ed25519PublicKey, key: SigningKey, entropy: Entropy
    ) -> None:
        """`centre` is the key that answers are signed with, `key` the rack's own."""
        self._post = post
        self._centre = centre
        self._key = key
        self._entropy = entropy

    async def ask(self, question: HandsetQuestion) -> Asked | NotAsked:
        """What the centre says of a handset; never raises."""
        asked = encode_question(question, self._entropy.token(NONCE_BYTES), self._key)
        answer = await self._post(asked)
        if isinstance(answer, Failure):
            return _not_asked(answer.why)
        if len(answer) > LARGEST_ANSWER_BYTES:
            return _not_asked("answer_too_large")
        try:
            return decode_answer(answer, asked, self._centre)
        except ValueError as error:
            return _not_asked("answer_not_believed", f": {error}")


class LazyPoster:
    """Posts questions to one centre; its certificates are read at the first one, off the loop."""

    def __init__(self, target: CentreTarget, rack: str, slots: int) -> None:
        """Each of so many slots has a connection: none waits for what another has asked."""
        self._target = target
        self._slots = slots
        self._url = f"{target.url.rstrip('/')}/v1/racks/{rack}/questions"
        self._thread = CapacityLimiter(1)
        self._making = anyio.Lock()
        self._poster: Poster | None = None

    async def post(self, question: bytes) -> bytes | Failure:
        """Hand a question over; never raises."""
        try:
            with anyio.fail_after(LONGEST_READING_S):
                async with self._making:
                    if self._poster is None:
                        self._poster = await to_thread.run_sync(
                            self._make, abandon_on_cancel=True, limiter=self._thread
                        )
        except (OSError, ValueError) as error:
            return Failure(why=type(error).__name__)
        return await self._poster.post(question, {"content-type": "application/json"})

    def _make(self) -> Poster:
        return Poster(
            self._url,
            authority=self._target.authority,
            timeout_s=min(self._target.timeout_s, LONGEST_WAIT_S),
            longest_bytes=LARGEST_ANSWER_BYTES,
            client=self._target.client,
            connections=self._slots,
        )

    async def aclose(self) -> None:
        """Let go of the connections."""
        if self._poster is not None:
            await self._poster.aclose()


def _not_asked(why: str, more: str = "") -> NotAsked:
    _log.warning("fleet_not_asked", detail=why + more)
    return NotAsked(why=why)
