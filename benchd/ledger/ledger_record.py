"""One record of the ledger: its bytes, its hash and the columns that are taken from its body."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from benchd.domain.errors import LedgerBroken, RecordRefused
from benchd.domain.ids import JobId, JsonValue, SlotName
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.signing import canonical

GENESIS = bytes(32)
"""What stands as the hash before the first record."""
MAX_BODY_BYTES = 1 << 20
MAX_NAME_BYTES = 256
_FIELDS = 7
"""Of a record's body."""
_MOMENT_LENGTH = len("2026-01-01T00:00:00.000000Z")
_TOO_LARGE = f"its body is larger than {MAX_BODY_BYTES} bytes"

COLUMNS = "sequence, previous, hash, kind, slot, occupancy, job, body"
INSERT = f"INSERT INTO record ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record as its table holds it."""

    sequence: int
    previous: bytes
    hash: bytes
    kind: str
    slot: str | None
    occupancy: int | None
    job: str | None
    body: bytes


def seal(entry: Entry, *, sequence: int, previous: bytes) -> Row:
    """The row that keeps an entry; raises RecordRefused for an entry that it can't keep."""
    try:
        body = _encode(entry, sequence)
        for name in (entry.slot, entry.job):
            _check_name(name)
        _check_occupancy(entry.occupancy)
    except (ValueError, RecursionError) as error:
        message = f"the ledger can't keep this {entry.kind.value} record: {error}"
        raise RecordRefused(message) from error
    return Row(
        sequence=sequence,
        previous=previous,
        hash=hash_of(previous, body),
        kind=entry.kind.value,
        slot=entry.slot,
        occupancy=entry.occupancy,
        job=entry.job,
        body=body,
    )


def hash_of(previous: bytes, body: bytes) -> bytes:
    """The link of the chain: SHA-256 of the hash before and the exact stored bytes."""
    return hashlib.sha256(previous + body).digest()


def values_of(row: Row) -> tuple[int | str | bytes | None, ...]:
    """A row's values in the order of COLUMNS."""
    return (
        row.sequence,
        row.previous,
        row.hash,
        row.kind,
        row.slot,
        row.occupancy,
        row.job,
        row.body,
    )


def row_of(values: tuple[object, ...], *, sequence: int) -> Row:
    """The row that the database gave in the order of COLUMNS, its types checked one by one.

    `sequence` is the number that a damaged row is named by.
    """
    match values:
        case (
            int() as stored,
            bytes() as previous,
            bytes() as hash_,
            str() as kind,
            (str() | None) as slot,
            (int() | None) as occupancy,
            (str() | None) as job,
            bytes() as body,
        ):
            return Row(
                sequence=stored,
                previous=previous,
                hash=hash_,
                kind=kind,
                slot=slot,
                occupancy=occupancy,
                job=job,
                body=body,
            )
        case _:
            message = f"record {sequence} has columns of the wrong type"
            raise LedgerBroken(message, sequence=sequence)


def unseal(row: Row) -> StoredEntry:
    """The entry in a row, its hash recomputed and every column compared with the body."""
    if hash_of(row.previous, row.body) != row.hash:
        message = f"record {row.sequence} has changed: its hash doesn't fit its content"
        raise LedgerBroken(message, sequence=row.sequence)
    try:
        sequence, entry = _decode(row.body)
    except ValueError as error:
        message = f"record {row.sequence} can't be understood: {error}"
        raise LedgerBroken(message, sequence=row.sequence) from error
    columns = (row.sequence, row.kind, row.slot, row.occupancy, row.job)
    if columns != (sequence, entry.kind.value, entry.slot, entry.occupancy, entry.job):
        message = f"record {row.sequence} has changed: its columns don't fit its body"
        raise LedgerBroken(message, sequence=row.sequence)
    return StoredEntry(sequence=sequence, entry=entry, hash_hex=row.hash.hex())


def stored_after(previous: bytes, body: bytes) -> StoredEntry:
    """The record that has this body and follows the one of that hash; raises ValueError for none.

    Whether its number follows as well isn't looked at.
    """
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(_TOO_LARGE)
    sequence, entry = _decode(body)
    return StoredEntry(sequence=sequence, entry=entry, hash_hex=hash_of(previous, body).hex())


def entries_in(bodies: Sequence[bytes]) -> list[tuple[int, Entry]]:
    """The numbers and entries of many bodies; raises ValueError for the first that is no record."""
    if any(len(body) > MAX_BODY_BYTES for body in bodies):
        raise ValueError(_TOO_LARGE)
    return [_entry_of(told) for told in canonical.decode_objects(bodies)]


def _encode(entry: Entry, sequence: int) -> bytes:
    body = canonical.encode(
        {
            "sequence": sequence,
            "kind": entry.kind.value,
            "at": _moment(entry.at),
            "slot": entry.slot,
            "occupancy": entry.occupancy,
            "job": entry.job,
            "data": entry.data,
        }
    )
    if len(body) > MAX_BODY_BYTES:
        message = f"it has {len(body)} bytes, and {MAX_BODY_BYTES} are the most for one record"
        raise ValueError(message)
    return body


def _decode(body: bytes) -> tuple[int, Entry]:
    return _entry_of(canonical.decode(body))


def _entry_of(told: JsonValue | Mapping[str, JsonValue]) -> tuple[int, Entry]:
    match told:
        case {
            "sequence": int() as sequence,
            "kind": str() as kind,
            "at": str() as at,
            "slot": (str() | None) as slot,
            "occupancy": (int() | None) as occupancy,
            "job": (str() | None) as job,
            "data": dict() as data,
        } if len(told) == _FIELDS:
            # What `seal` makes none of, and what reads a record couldn't take.
            if len(at) != _MOMENT_LENGTH or at[-1] != "Z":
                message = "its time isn't UTC to the microsecond"
                raise ValueError(message)
            _check_occupancy(occupancy)
            return sequence, Entry(
                kind=EntryKind.read(kind),
                at=datetime.fromisoformat(at),
                slot=None if slot is None else SlotName(slot),
                occupancy=occupancy,
                job=None if job is None else JobId(job),
                data=data,
            )
        case _:
            message = "its body doesn't have the form of a record"
            raise ValueError(message)


def _moment(at: datetime) -> str:
    if at.utcoffset() is None:
        message = "its time has no zone"
        raise ValueError(message)
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _check_name(name: str | None) -> None:
    # Slots and jobs are the columns that reads go by: SQLite would cut a text at a NUL.
    if name is None:
        return
    if not name or "\0" in name or len(name.encode()) > MAX_NAME_BYTES:
        message = f"{name[:40]!r} can't be the name of a slot or a job"
        raise ValueError(message)


def _check_occupancy(occupancy: int | None) -> None:
    if occupancy is not None and not 0 <= occupancy < 1 << 63:
        message = f"{occupancy} can't be an occupancy"
        raise ValueError(message)
