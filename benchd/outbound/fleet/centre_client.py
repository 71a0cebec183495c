"""The rack's side of the centre's HTTP: asks what it has, hands batches over, believes no answer.

An acknowledgement counts only as a checkpoint that the centre's key has signed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchd.domain.ids import JsonValue
from benchd.ledger.fleet_batch import MEDIA_TYPE, encode_places, head_of
from benchd.ledger.fleet_checkpoint import decode_checkpoint
from benchd.ledger.head import Head
from benchd.outbound.fleet.ports import Had, Taken
from benchd.outbound.http_post import Failure, Poster
from benchd.signing import canonical
from benchd.signing.tls import ClientFiles

LARGEST_ANSWER_BYTES: Final = 16 * 1024
UNREADABLE: Final = Failure(why="unreadable_answer")
NOT_SIGNED: Final = Failure(why="checkpoint_not_signed")


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreTarget:
    """The centre as it is configured."""

    url: str = field(repr=False)
    key: Ed25519PublicKey
    """What its checkpoints are signed with."""
    client: ClientFiles | None
    """What the rack shows of itself; None to a centre on this machine."""
    authority: Path | None
    timeout_s: float


class HttpCentre:
    """Posts to one centre, for one rack."""

    def __init__(self, target: CentreTarget, rack: str) -> None:
        """Reads certificates, so not on the loop."""
        self._key = target.key
        self._places, self._records = (
            Poster(
                f"{target.url.rstrip('/')}/v1/racks/{rack}/{what}",
                authority=target.authority,
                timeout_s=target.timeout_s,
                longest_bytes=LARGEST_ANSWER_BYTES,
                client=target.client,
            )
            for what in ("places", "records")
        )

    async def newest_of(self, places: list[Head]) -> Had | Failure:
        """The newest of these records that it has, or the empty head."""
        answer = await self._places.post(
            encode_places(places), {"content-type": "application/json"}
        )
        if isinstance(answer, Failure):
            return answer
        try:
            match _json(answer):
                case {"newest": dict() as told, "forks": int() as forks, "restores": int() as more}:
                    return Had(newest=head_of(told), forks=forks, restores=more)
                case _:
                    return UNREADABLE
        except ValueError:
            return UNREADABLE

    async def take(self, batch: bytes) -> Taken | Failure:
        """Hand over a batch."""
        answer = await self._records.post(batch, {"content-type": MEDIA_TYPE})
        if isinstance(answer, Failure):
            return answer
        try:
            match _json(answer):
                case {
                    "checkpoint": dict() as told,
                    "forks": int() as forks,
                    "restores": int() as restores,
                }:
                    signed = canonical.encode(told)
                case _:
                    return UNREADABLE
        except ValueError:
            return UNREADABLE
        try:
            checkpoint = decode_checkpoint(signed, self._key)
        except ValueError:
            return NOT_SIGNED
        return Taken(checkpoint=checkpoint, signed=signed, forks=forks, restores=restores)

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._places.aclose()
        await self._records.aclose()


def _json(answer: bytes) -> JsonValue:
    try:
        told: JsonValue = json.loads(answer)
    except RecursionError as error:
        raise ValueError(str(error)) from error
    return told
