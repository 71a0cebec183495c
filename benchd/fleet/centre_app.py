"""What the centre answers racks over HTTP: what it has of them, and what it has taken in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import FastAPI, Path, Request, Response
from fastapi.responses import JSONResponse

from benchd.domain.errors import BenchdError, NotFound
from benchd.domain.ids import JsonValue
from benchd.fleet.fleet_database import NotAcknowledged
from benchd.fleet.joined_racks import JoinedRacks
from benchd.fleet.record_intake import GapRefused, RecordIntake
from benchd.ledger.fleet_batch import (
    LARGEST_BATCH_BYTES,
    LARGEST_QUESTION_BYTES,
    BatchRefused,
    decode_places,
)
from benchd.ledger.head import EMPTY_HEAD
from benchd.signing import canonical

RackId = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


class TooLarge(BenchdError):
    """Raised where more came than may."""


class _Routes:
    """What may be asked."""

    def __init__(self, racks: JoinedRacks, intake: RecordIntake) -> None:
        self._racks = racks
        self._intake = intake

    async def healthz(self) -> Response:
        """Whether the database answers."""
        await self._racks.states()
        return Response(status_code=204)

    async def places(self, rack: RackId, request: Request) -> Response:
        """The newest of these records that the centre has."""
        asked = decode_places(await body_of(request, LARGEST_QUESTION_BYTES))
        known = await self._intake.known(await self._racks.of(rack), asked)
        newest: JsonValue = {"sequence": known.newest.sequence, "hash": known.newest.hash.hex()}
        return _json({"newest": newest, "forks": known.forks, "restores": known.restores})

    async def records(self, rack: RackId, request: Request) -> Response:
        """A batch, taken in and acknowledged."""
        data = await body_of(request, LARGEST_BATCH_BYTES)
        taken = await self._intake.take(await self._racks.of(rack), data)
        checkpoint = canonical.decode(taken.checkpoint)
        return _json({"checkpoint": checkpoint, "forks": taken.forks, "restores": taken.restores})


def create_centre_app(racks: JoinedRacks, intake: RecordIntake) -> FastAPI:
    """The application; who may speak to it at all is decided by TLS before."""
    app = FastAPI(
        title="benchd fleet",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        exception_handlers={
            NotFound: _unknown_rack,
            GapRefused: _gap,
            TooLarge: _too_large,
            BatchRefused: _refused,
            NotAcknowledged: _not_acknowledged,
        },
    )
    routes = _Routes(racks, intake)
    app.add_api_route("/healthz", routes.healthz)
    app.add_api_route("/v1/racks/{rack}/places", routes.places, methods=["POST"])
    app.add_api_route("/v1/racks/{rack}/records", routes.records, methods=["POST"])
    return app


async def _unknown_rack(_: Request, __: Exception) -> Response:
    return _refusal(404, "unknown_rack")


async def _gap(_: Request, refused: Exception) -> Response:
    head = refused.expected if isinstance(refused, GapRefused) else EMPTY_HEAD
    return _refusal(409, "gap", expected={"sequence": head.sequence, "hash": head.hash.hex()})


async def _too_large(_: Request, __: Exception) -> Response:
    return _refusal(413, "too_large")


async def _refused(_: Request, refusal: Exception) -> Response:
    return _refusal(422, "refused", detail=str(refusal))


async def _not_acknowledged(_: Request, __: Exception) -> Response:
    return _refusal(503, "not_acknowledged")


async def body_of(request: Request, most: int) -> bytes:
    """What was sent; no more of it is kept than may come. Raises TooLarge."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise TooLarge
    return bytes(body)


def _json(told: Mapping[str, JsonValue]) -> Response:
    return JSONResponse(dict(told))


def _refusal(status: int, why: str, **told: JsonValue) -> Response:
    return JSONResponse({"error": why, **told}, status_code=status)
