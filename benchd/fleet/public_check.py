"""What strangers hear of a certificate by its number and digest; of its handset only the model.

"Valid" is said of a certificate that the rack's own key has signed and of which nothing that the
centre knows speaks since; everything else is "invalid" or "withdrawn".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final

from anyio import CapacityLimiter, to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg import AsyncConnection

from benchd.certificate import verify_certificate
from benchd.domain.disposal import DisposalState
from benchd.domain.errors import BenchdError
from benchd.domain.job import Outcome, Reason
from benchd.fleet.fleet_database import FleetDatabase
from benchd.fleet.handset_files import FiledJob, certified_jobs, handsets_in, with_others
from benchd.ledger.ledger_record import GENESIS, stored_after
from benchd.ledger.records.numbers import DIGEST_DIGITS
from benchd.signing.key_ring import KeyRing, decode_ring

_STILL_SOLD: Final = (None, DisposalState.ON_SALE)
_CHECKED_AT_ONCE: Final = 2


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
    """Answers from what is filed and from the records themselves."""

    def __init__(self, database: FleetDatabase) -> None:
        self._database = database
        self._checking = CapacityLimiter(_CHECKED_AT_ONCE)

    async def check(self, number: str, digest: str) -> Checked:
        """What the certificate of this job with this digest is worth."""
        sought = digest.lower()
        if len(sought) != DIGEST_DIGITS:
            return INVALID
        async with self._database.transaction() as connection:
            for job in await certified_jobs(connection, sought):
                told = await self._told_in(connection, job, sought)
                if told is not None and number.upper() == str(told.get("job")).upper():
                    withdrawn = await _is_withdrawn(connection, job)
                    return Checked(
                        standing=Standing.WITHDRAWN if withdrawn else Standing.VALID,
                        model=_model(job),
                    )
        return INVALID

    async def _told_in(
        self, connection: AsyncConnection, job: FiledJob, digest: str
    ) -> Mapping[str, object] | None:
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


def _stated(body: bytes, ring: KeyRing, digest: str) -> Mapping[str, object] | None:
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


async def _is_withdrawn(connection: AsyncConnection, job: FiledJob) -> bool:
    """Whether something speaks against it since: only the centre's word, which can only hold."""
    if job.told.get("held_by") or job.told.get("state") not in _STILL_SOLD:
        return True
    if await _is_after_fork(connection, job):
        return True
    every = await with_others(connection, [job])
    [handset] = handsets_in(every, [job.key])
    later = [each for each in handset.jobs if each.opened_at > job.opened_at]
    return any(each.told.get("held_by") or not _is_passed_look(each) for each in later)


def _is_passed_look(job: FiledJob) -> bool:
    """Whether it only looked at the handset, and found nothing."""
    told = job.told
    passed = told.get("outcome") == Outcome.PASSED and told.get("reason") == Reason.RECHECKED
    return passed and told.get("state") in (*_STILL_SOLD, DisposalState.HELD)


async def _is_after_fork(connection: AsyncConnection, job: FiledJob) -> bool:
    """Whether two ledgers went by this rack's key by then: nobody knows which of them counts."""
    found = await connection.execute(
        "SELECT 1 FROM branch WHERE rack = %s AND why = 'fork' AND left_sequence < %s LIMIT 1",
        (job.rack, job.certified_at[1] if job.certified_at else 0),
    )
    return await found.fetchone() is not None


def _model(job: FiledJob) -> str | None:
    named = [job.told.get("manufacturer"), job.told.get("model")]
    return " ".join(str(each) for each in named if each) or None
