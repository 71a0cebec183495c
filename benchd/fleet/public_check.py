"""What strangers hear of a certificate by its number and digest; of its handset only the model.

"Valid" is said of a certificate that the rack's own key has signed and of which nothing that the
centre knows speaks since; everything else is "invalid" or "withdrawn".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Final

from anyio import CapacityLimiter, to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg import AsyncConnection

from benchd.certificate import verify_certificate
from benchd.domain.disposal import DisposalState
from benchd.domain.errors import BenchdError
from benchd.domain.handset_question import HandsetQuestion
from benchd.domain.ids import JobId, JsonValue
from benchd.domain.job import StageName
from benchd.fleet.fleet_database import FleetDatabase
from benchd.fleet.handset_debts import RackJob, Spot, only_looked
from benchd.fleet.handset_files import FiledJob, certified_jobs
from benchd.fleet.handset_index import HandsetIndex
from benchd.fleet.watched_imeis import watched
from benchd.ledger.ledger_record import GENESIS, stored_after
from benchd.ledger.records.numbers import DIGEST_DIGITS
from benchd.proof.identity.sighting import model_key
from benchd.signing.key_ring import KeyRing, decode_ring

_STILL_SOLD: Final = (None, DisposalState.ON_SALE)
_CHECKED_AT_ONCE: Final = 2
"""However many strangers ask: the other connections are for those with a token."""


class Standing(StrEnum):
    """What a certificate is worth."""

    VALID = "valid"
    INVALID = "invalid"
    WITHDRAWN = "withdrawn"
    """It was issued, and something that came later speaks against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The whole answer."""

    standing: Standing
    model: str | None = None


INVALID: Final = Checked(standing=Standing.INVALID)


class PublicCheck:
    """Answers by the records themselves; what is filed only says where the certificate is."""

    def __init__(self, database: FleetDatabase) -> None:
        self._database = database
        self._turns = CapacityLimiter(_CHECKED_AT_ONCE)
        self._checking = CapacityLimiter(_CHECKED_AT_ONCE)
        self._index = HandsetIndex(self._checking)

    async def check(self, number: str, digest: str) -> Checked:
        """What the certificate of this job with this digest is worth."""
        sought = digest.lower()
        if len(sought) != DIGEST_DIGITS:
            return INVALID
        async with self._turns, self._database.transaction() as connection:
            for job in await certified_jobs(connection, sought):
                told = await self._answer_in(connection, job, sought)
                if told is not None and number.upper() == str(told.get("job")).upper():
                    withdrawn = await self._is_withdrawn(connection, job, told)
                    return Checked(
                        standing=Standing.WITHDRAWN if withdrawn else Standing.VALID,
                        model=_model(_handset_in(told)),
                    )
        return INVALID

    async def _is_withdrawn(
        self, connection: AsyncConnection, job: FiledJob, stated: Mapping[str, JsonValue]
    ) -> bool:
        """Whether anything speaks against it, or may and can't be read."""
        if job.told.get("state") not in _STILL_SOLD or await _is_after_fork(connection, job):
            return True
        question = _question(job, stated)
        known = await self._index.known(connection, question)
        if not known.is_whole or any(known.findings(None)):
            return True
        every = replace(question, imeis=tuple({*question.imeis, *known.imeis}))
        if await watched(connection, every):
            return True
        # The certificate of one that was drawn names that job, and stands in the recheck's end.
        if await _is_held_back(connection, job.rack, [job.job, str(stated.get("job"))]):
            return True
        for other in known.jobs:
            if (other.rack, other.job) == job.key or not await _is_later(connection, other, job):
                continue
            held = await _is_held_back(connection, other.rack, [other.job])
            if held or not only_looked(other):
                return True
        return False

    async def _answer_in(
        self, connection: AsyncConnection, job: FiledJob, digest: str
    ) -> Mapping[str, JsonValue] | None:
        """What the certificate in a job's end states; None unless every byte of it is as signed."""
        if job.certified_at is None:
            return None
        found = await connection.execute(
            """
            SELECT body, ring, trusted_key FROM record JOIN rack ON rack.id = record.rack
            WHERE record.rack = %s AND branch = %s AND sequence = %s
            """,
            (job.rack, *job.certified_at),
        )
        row = await found.fetchone()
        if row is None:
            return None
        ring = decode_ring(bytes(row[1]), Ed25519PublicKey.from_public_bytes(bytes(row[2])))
        check = partial(_stated, bytes(row[0]), ring, digest)
        return await to_thread.run_sync(check, limiter=self._checking)


def _stated(body: bytes, ring: KeyRing, digest: str) -> Mapping[str, JsonValue] | None:
    envelope = stored_after(GENESIS, body).entry.data.get("certificate")
    if not isinstance(envelope, str):
        return None
    data = envelope.encode()
    if hashlib.sha256(data).hexdigest() != digest:
        return None
    try:
        predicate = verify_certificate(data, ring).get("predicate")
    except BenchdError:
        return None
    return predicate if isinstance(predicate, Mapping) else None


async def _is_held_back(connection: AsyncConnection, rack: int, jobs: Iterable[str]) -> bool:
    """Whether another system holds one of these jobs back, or somebody has settled it."""
    found = await connection.execute(
        """
        SELECT FROM filed_job WHERE rack = %s AND job = ANY(%s)
            AND (told ? 'held_by' OR told ->> 'state' <> ALL(%s)) LIMIT 1
        """,
        (rack, list(jobs), [DisposalState.ON_SALE, DisposalState.HELD]),
    )
    return found.rowcount > 0


def _question(job: FiledJob, stated: Mapping[str, JsonValue]) -> HandsetQuestion:
    """The handset by what its certificate states, as a rack would ask about it."""
    told = _handset_in(stated)
    proven = {str(told[key]) for key in ("imei", "second_imei") if told.get(key)}
    former = told.get("former_imeis")
    earlier = {str(each) for each in former} if isinstance(former, list) else set[str]()
    return HandsetQuestion(
        job=JobId(job.job),
        stage=StageName.CERTIFY,
        imeis=tuple(sorted(proven | earlier)),
        proven=tuple(sorted(proven)),
        is_full=bool(proven),
        serial=str(told.get("serial")),
        model=model_key(str(told.get("manufacturer")), str(told.get("model"))),
    )


async def _is_later(connection: AsyncConnection, other: RackJob, job: FiledJob) -> bool:
    """Whether a job went on after a certificate: on the same line by the numbers of records.

    Else by when the centre took them in, as no two racks have one clock.
    """
    branch, sequence = job.certified_at or (0, 0)
    if other.rack == job.rack:
        certified = Spot(branch=branch, sequence=sequence)
        first = other.spot(other.records[0].sequence)
        if other.lines.follows(certified, first):
            return False
        if other.lines.follows(first, certified):
            return True
    found = await connection.execute(
        """
        SELECT FROM job_record JOIN record USING (rack, branch, sequence)
        WHERE rack = %s AND job = %s AND taken_at >= (SELECT taken_at FROM record AS certified
            WHERE certified.rack = %s AND certified.branch = %s AND certified.sequence = %s)
        LIMIT 1
        """,
        (other.rack, other.job, job.rack, branch, sequence),
    )
    return found.rowcount > 0


async def _is_after_fork(connection: AsyncConnection, job: FiledJob) -> bool:
    """Whether two ledgers went by this rack's key by then: nobody knows which of them counts."""
    found = await connection.execute(
        "SELECT 1 FROM branch WHERE rack = %s AND why = 'fork' AND left_sequence < %s LIMIT 1",
        (job.rack, job.certified_at[1] if job.certified_at else 0),
    )
    return await found.fetchone() is not None


def _handset_in(stated: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    handset = stated.get("handset")
    return handset if isinstance(handset, Mapping) else {}


def _model(told: Mapping[str, JsonValue]) -> str | None:
    named = [told.get("manufacturer"), told.get("model")]
    return " ".join(str(each) for each in named if each) or None
