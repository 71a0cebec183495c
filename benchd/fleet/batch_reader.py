"""Reads batches of records: small ones in a thread, large ones in a process of their own.

The centre's interpreter runs one thread at a time, and it has requests and the database to serve:
what a rack sends that has much to send is read on another core.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from anyio import BrokenWorkerProcess, CapacityLimiter, fail_after, to_process, to_thread

from benchd.domain.record import EntryKind
from benchd.fleet.fleet_database import NotAcknowledged
from benchd.fleet.handset_index import RecordNote, note_of
from benchd.ledger.fleet_batch import (
    BatchHeader,
    BatchRecord,
    SequenceGap,
    check_gaps,
    read_header,
    read_records,
)
from benchd.signing.public_key import Signer

THREADS: Final = 2
PROCESSES: Final = 2
LARGE_BYTES: Final = 8 << 10
"""As it was sent: from here a batch is worth the way to another process and back."""
READ_WITHIN_S: Final = 30.0
"""With the start of the process: then it is ended, and the rack sends its batch again."""

_LENGTH: Final = struct.Struct("!i").pack
_SEQUENCE: Final = struct.Struct("!iqi").pack
"""The number, with its length before it; the length of the hash."""


class ReadRecord(NamedTuple):
    """A record as the centre keeps it."""

    sequence: int
    hash: bytes
    is_restore: bool
    columns: bytes
    """From its number to its body, as PostgreSQL's binary COPY takes them."""
    note: RecordNote | None


class ReadBatch(NamedTuple):
    """Records that follow each other, up to a head that the rack has signed."""

    header: BatchHeader
    records: list[ReadRecord]
    gaps: tuple[SequenceGap, ...]


class BatchReader:
    """Reads few at a time: the others wait."""

    def __init__(self) -> None:
        self._threads = CapacityLimiter(THREADS)
        self._processes = CapacityLimiter(PROCESSES)

    async def read(self, data: bytes, ring: Signer) -> ReadBatch:
        """A batch whose chain and signatures hold. Raises BatchRefused, NotAcknowledged."""
        if len(data) < LARGE_BYTES:
            return await to_thread.run_sync(_read, data, ring, limiter=self._threads)
        # By the rack's signature first: nobody else's batch takes a process.
        header = await to_thread.run_sync(read_header, data, ring, limiter=self._threads)
        batch = await self._read_in_process(data, header)
        await to_thread.run_sync(check_gaps, batch.gaps, ring, limiter=self._threads)
        return batch

    async def _read_in_process(self, data: bytes, header: BatchHeader) -> ReadBatch:
        async with self._processes:
            try:
                with fail_after(READ_WITHIN_S):
                    return await to_process.run_sync(rows_of, data, header, cancellable=True)
            except (BrokenWorkerProcess, TimeoutError) as error:
                message = "the process that reads a batch has ended, or took too long"
                raise NotAcknowledged(message) from error


def _read(data: bytes, ring: Signer) -> ReadBatch:
    batch = rows_of(data, read_header(data, ring))
    check_gaps(batch.gaps, ring)
    return batch


def rows_of(data: bytes, header: BatchHeader) -> ReadBatch:
    """The records of a batch with this header; raises BatchRefused."""
    batch = read_records(data, header)
    return ReadBatch(header, [_row_of(each) for each in batch.records], batch.gaps)


def _row_of(record: BatchRecord) -> ReadRecord:
    sequence, hash_, entry, body = record
    kind = entry.kind.encode()
    before = _SEQUENCE(8, sequence, len(hash_)), hash_, _LENGTH(len(kind)), kind
    columns = b"".join((*before, _LENGTH(len(body)), body))
    is_restore = entry.kind is EntryKind.LEDGER_RESTORED
    return ReadRecord(sequence, hash_, is_restore, columns, note_of(sequence, entry))
