"""A batch of a ledger's records on their way to the fleet's centre, and the question before it.

Lines of JSON, packed by gzip: first which record they follow and the signed head that they lead to,
then each record's body, byte for byte as the ledger has it. Its hash is told by nobody: it follows
from the hash before it, and the last one has to be that of the head.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from benchd.domain.errors import LedgerBroken
from benchd.domain.ids import JsonValue
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.ledger.head import EMPTY_HEAD, Head, decode_head
from benchd.ledger.ledger_record import MAX_BODY_BYTES, entries_in, hash_of
from benchd.ledger.restore_gap import check_gap
from benchd.signing import canonical
from benchd.signing.public_key import Signer

MOST_RECORDS: Final = 1000
"""In one batch."""
BATCH_BYTES: Final = 1 << 20
"""After so many bytes of bodies a batch is closed."""
LARGEST_BATCH_BYTES: Final = BATCH_BYTES + MAX_BODY_BYTES + MOST_RECORDS + 4096
"""Unpacked, with whatever stands around the bodies."""
LONGEST_HEADER: Final = 1024
"""Bytes of a batch's first line, which has some 450."""
MOST_PLACES: Final = 128
"""In one question: a ledger of 2^63 numbers has 65."""
LARGEST_QUESTION_BYTES: Final = MOST_PLACES * 160
MEDIA_TYPE: Final = "application/vnd.benchd.records"

_PACKED: Final = 6


class BatchRefused(ValueError):
    """What came isn't a batch of this rack; the text says why, in words of benchd alone."""


class BatchRecord(NamedTuple):
    """One record of a batch, its hash computed."""

    sequence: int
    hash: bytes
    entry: Entry
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceGap:
    """A record whose number doesn't follow, or that says that its ledger was put back."""

    stored: StoredEntry
    last: Head
    """What it follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchHeader:
    """The first line of a batch."""

    after: Head
    """The record that it follows."""
    end: Head
    """Its last record, by a head that the rack has signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records that follow each other, up to a head that the rack has signed."""

    header: BatchHeader
    records: tuple[BatchRecord, ...]
    gaps: tuple[SequenceGap, ...]


def encode_batch(after: Head, bodies: Sequence[bytes], signed_head: bytes) -> bytes:
    """The bytes that are sent. Takes its time: not on the loop."""
    first = canonical.encode({"after": _plain(after), "head": canonical.decode(signed_head)})
    return gzip.compress(b"\n".join([first, *bodies]), compresslevel=_PACKED, mtime=0)


def decode_batch(data: bytes, ring: Signer) -> Batch:
    """A batch whose chain and signature hold; raises BatchRefused. Takes its time, too."""
    batch = read_records(data, read_header(data, ring))
    check_gaps(batch.gaps, ring)
    return batch


def read_header(data: bytes, ring: Signer) -> BatchHeader:
    """The first line of a batch, its signature checked; raises BatchRefused.

    No more is unpacked than that: it costs little, whatever comes after it.
    """
    first = _unpacked(data, LONGEST_HEADER)[0].partition(b"\n")[0]
    try:
        match canonical.decode(first):
            case {"after": dict() as told, "head": dict() as signed, **others} if not others:
                end = decode_head(canonical.encode(signed), ring)
                return BatchHeader(after=head_of(told), end=end)
            case _:
                pass
    except ValueError as error:
        message = f"its head doesn't count: {error}"
        raise BatchRefused(message) from error
    raise BatchRefused("its first line doesn't have the form of a batch's")


def read_records(data: bytes, header: BatchHeader) -> Batch:
    """The records of a batch with this header, up to its end; raises BatchRefused.

    Without the rack's keys: `check_gaps` still has to follow.
    """
    unpacked, is_whole = _unpacked(data, LARGEST_BATCH_BYTES + 1)
    if len(unpacked) > LARGEST_BATCH_BYTES:
        message = f"unpacked it is larger than {LARGEST_BATCH_BYTES} bytes"
        raise BatchRefused(message)
    if not is_whole:
        raise BatchRefused("it was cut short, or something follows it")
    _, *bodies = unpacked.split(b"\n")
    if not 1 <= len(bodies) <= MOST_RECORDS:
        message = f"it has {len(bodies)} records; allowed are 1 to {MOST_RECORDS}"
        raise BatchRefused(message)
    records, gaps = _chained(header.after, bodies)
    check_gaps(gaps, None)
    if Head(sequence=records[-1].sequence, hash=records[-1].hash) != header.end:
        raise BatchRefused("its records don't lead to the head that the rack has signed")
    return Batch(header=header, records=records, gaps=gaps)


def check_gaps(gaps: Iterable[SequenceGap], ring: Signer | None) -> None:
    """Raise BatchRefused unless the rack has signed each gap between two records' numbers.

    Without a ring the signatures aren't looked at.
    """
    for gap in gaps:
        try:
            check_gap(gap.stored, gap.last, ring)
        except LedgerBroken as error:
            raise BatchRefused(str(error)) from error


def encode_places(places: Iterable[Head]) -> bytes:
    """The question which of these records the centre has."""
    return canonical.encode({"places": [_plain(place) for place in places]})


def decode_places(data: bytes) -> list[Head]:
    """The records that are asked for; raises BatchRefused."""
    try:
        match canonical.decode(data):
            case {"places": list() as told, **others} if not others and len(told) <= MOST_PLACES:
                return [head_of(place) for place in told]
            case _:
                raise BatchRefused("it doesn't have the form of a question for places")
    except ValueError as error:
        raise BatchRefused(str(error)) from error


def head_of(told: JsonValue) -> Head:
    """A record by its number and hash as JSON has them; raises ValueError."""
    match told:
        case {"sequence": int() as sequence, "hash": str() as hash_hex, **others} if (
            not others and 0 <= sequence < 1 << 63 and not isinstance(sequence, bool)
        ):
            head = Head(sequence=sequence, hash=bytes.fromhex(hash_hex))
        case _:
            message = "a record isn't named by its number and hash"
            raise ValueError(message)
    if len(head.hash) != len(EMPTY_HEAD.hash) or (not sequence and head != EMPTY_HEAD):
        message = "a record isn't named by its hash"
        raise ValueError(message)
    return head


def _plain(head: Head) -> dict[str, JsonValue]:
    return {"sequence": head.sequence, "hash": head.hash.hex()}


def _chained(
    after: Head, bodies: Sequence[bytes]
) -> tuple[tuple[BatchRecord, ...], tuple[SequenceGap, ...]]:
    """Each record with its number and hash, and the gaps between their numbers."""
    try:
        entries = entries_in(bodies)
    except ValueError as error:
        message = f"a record after record {after.sequence} can't be understood: {error}"
        raise BatchRefused(message) from error
    records: list[BatchRecord] = []
    gaps: list[SequenceGap] = []
    last, last_hash = after.sequence, after.hash
    for body, (sequence, entry) in zip(bodies, entries, strict=True):
        hash_ = hash_of(last_hash, body)
        if sequence != last + 1 or entry.kind is EntryKind.LEDGER_RESTORED:
            stored = StoredEntry(sequence=sequence, entry=entry, hash_hex=hash_.hex())
            gaps.append(SequenceGap(stored=stored, last=Head(sequence=last, hash=last_hash)))
        last, last_hash = sequence, hash_
        records.append(BatchRecord(sequence, hash_, entry, body))
    return tuple(records), tuple(gaps)


def _unpacked(data: bytes, most: int) -> tuple[bytes, bool]:
    """At most so many bytes of it, and whether they are all, with nothing after them.

    A few bytes could become as many as they like.
    """
    packed = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = packed.decompress(data, most)
    except zlib.error as error:
        raise BatchRefused("it can't be unpacked") from error
    return unpacked, packed.eof and not packed.unused_data
