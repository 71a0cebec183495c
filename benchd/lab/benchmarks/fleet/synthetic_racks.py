"""Racks that never were: each with a key and a ledger's records, hashed and signed as real ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.domain.record import Entry
from benchd.lab.benchmarks.synthetic_jobs import job_records, noise_records
from benchd.ledger.fleet_batch import encode_batch
from benchd.ledger.head import EMPTY_HEAD, Head, encode_head
from benchd.ledger.ledger_record import Row, seal
from benchd.signing.private_key import SigningKey

RECORDS_PER_JOB: Final = 20
JOBS_OF_ONE: Final = 1_000_000
"""No two racks have a job in common, nor a handset."""
BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class SyntheticRack:
    """One that writes and sends."""

    number: int
    key: SigningKey = field(default_factory=lambda: SigningKey(Ed25519PrivateKey.generate()))
    newest: Head = EMPTY_HEAD
    _entries: Iterator[Entry] = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is on record yet."""
        self._entries = entries_from(self.number * JOBS_OF_ONE)

    @property
    def name(self) -> str:
        """What the centre calls it."""
        return f"synthetic rack {self.number}"

    def write(self, at: datetime | None = None) -> Row:
        """The next record, of this moment."""
        entry = next(self._entries)
        entry = entry if at is None else replace(entry, at=at)
        row = seal(entry, sequence=self.newest.sequence + 1, previous=self.newest.hash)
        self.newest = Head(sequence=row.sequence, hash=row.hash)
        return row

    def batch(self, rows: Sequence[Row]) -> bytes:
        """These records, as they are sent."""
        after = Head(sequence=rows[0].sequence - 1, hash=rows[0].previous)
        end = Head(sequence=rows[-1].sequence, hash=rows[-1].hash)
        return encode_batch(after, [row.body for row in rows], encode_head(end, self.key))


def entries_from(first: int) -> Iterator[Entry]:
    """The records of whole jobs, one after the other, without an end."""
    for number in count(first):
        at = BEGAN + timedelta(seconds=20 * (number - first))
        told = list(job_records(number, at))
        yield from told[:-1]
        yield from noise_records(number, at, RECORDS_PER_JOB - len(told))
        yield told[-1]
