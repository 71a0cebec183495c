"""Answers racks what holds a handset, by the centre's signature; the route for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import FastAPI, Path, Request, Response
from fastapi.responses import JSONResponse

from benchd.domain.errors import BenchdError
from benchd.fleet.centre_app import body_of
from benchd.fleet.fleet_database import FleetDatabase
from benchd.fleet.handset_index import HandsetIndex
from benchd.fleet.handset_leases import InHand, take_lease
from benchd.fleet.joined_racks import JoinedRack, JoinedRacks
from benchd.fleet.watched_imeis import watched
from benchd.ledger.fleet_question import (
    LARGEST_HANDSET_QUESTION_BYTES,
    QuestionRefused,
    decode_question,
    encode_answer,
)
from benchd.signing.private_key import SigningKey


class NotAllRead(BenchdError):
    """Raised where nothing holds a handset of what was read, and not all could be."""


class HandsetQuestions:
    """The one way for answers out of the centre."""

    def __init__(
        self,
        database: FleetDatabase,
        key: SigningKey,
        now: Callable[[], datetime],
        index: HandsetIndex,
    ) -> None:
        """`key` is the centre's own, which signs answers."""
        self._database = database
        self._key = key
        self._now = now
        self._index = index

    async def answer(self, rack: JoinedRack, data: bytes) -> bytes:
        """The signed answer; none is QuestionRefused, NotAllRead or NotAcknowledged.

        What is held takes no lease: its job ends by that.
        """
        question = decode_question(data, rack.ring)
        lease = None
        async with self._database.transaction() as connection:
            known = await self._index.known(connection, question.asks)
            findings = [*known.findings(rack.number), *await watched(connection, question.asks)]
            if not findings:
                if not known.is_whole:
                    message = "racks have told more of this handset than could be read"
                    raise NotAllRead(message)
                lease = await take_lease(
                    connection,
                    rack.number,
                    question.asks,
                    known.imeis,
                    known.proven_imeis,
                    self._now(),
                )
        if isinstance(lease, InHand):
            findings, lease = [lease.finding], None
        return encode_answer(question, findings, lease, self._now(), self._key)


def add_question_route(app: FastAPI, racks: JoinedRacks, questions: HandsetQuestions) -> None:
    """Have the centre's application answer questions."""

    async def ask(
        rack: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], request: Request
    ) -> Response:
        data = await body_of(request, LARGEST_HANDSET_QUESTION_BYTES)
        answer = await questions.answer(await racks.of(rack), data)
        return Response(answer, media_type="application/json")

    async def refused(_: Request, refusal: Exception) -> Response:
        return JSONResponse({"error": "refused", "detail": str(refusal)}, status_code=422)

    async def not_all_read(_: Request, why: Exception) -> Response:
        return JSONResponse({"error": "not_all_read", "detail": str(why)}, status_code=503)

    app.add_exception_handler(QuestionRefused, refused)
    app.add_exception_handler(NotAllRead, not_all_read)
    app.add_api_route("/v1/racks/{rack}/questions", ask, methods=["POST"])
