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
LONGEST_OPENING: Final = 1024
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
class Leap:
    """A record whose number doesn't follow, or that says that its ledger was put back."""

    stored: StoredEntry
    last: Head
    """What it follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a batch begins with."""

    after: Head
    """Which record it follows."""
    end: Head
    """The signed head that it leads to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records that follow each other, up to a head that the rack has signed."""

    after: Head
    records: tuple[BatchRecord, ...]
    leaps: tuple[Leap, ...]

    @property
    def end(self) -> Head:
        """The last of them."""
        return Head(sequence=self.records[-1].sequence, hash=self.records[-1].hash)


def encode_batch(after: Head, bodies: Sequence[bytes], signed_head: bytes) -> bytes:
    """The bytes that are sent. Takes its time: not on the loop."""
    first = canonical.encode({"after": _plain(after), "head": canonical.decode(signed_head)})
    return gzip.compress(b"\n".join([first, *bodies]), compresslevel=_PACKED, mtime=0)


def decode_batch(data: bytes, ring: Signer) -> Batch:
    """A batch whose chain and signature hold; raises BatchRefused. Takes its time, too."""
    opening = read_opening(data, ring)
    batch = read_records(data, opening)
    check_leaps(batch.leaps, ring)
    return batch


def read_opening(data: bytes, ring: Signer) -> Opening:
    """What a batch begins with, its signature checked; raises BatchRefused.

    No more is unpacked than that: it costs little, whatever comes after it.
    """
    first = _unpacked(data, LONGEST_OPENING).partition(b"\n")[0]
    try:
        match canonical.decode(first):
            case {"after": dict() as told, "head": dict() as signed, **others} if not others:
                return Opening(after=head_of(told), end=decode_head(canonical.encode(signed), ring))
            case _:
                pass
    except ValueError as error:
        message = f"its head doesn't count: {error}"
        raise BatchRefused(message) from error
    raise BatchRefused("its first line doesn't have the form of a batch's")


def read_records(data: bytes, opening: Opening) -> Batch:
    """The records of a batch that begins with this, up to its end; raises BatchRefused.

    Without the rack's keys: `check_leaps` still has to follow.
    """
    _, *bodies = _unpacked(data, LARGEST_BATCH_BYTES, whole=True).split(b"\n")
    if not 1 <= len(bodies) <= MOST_RECORDS:
        message = f"it has {len(bodies)} records; allowed are 1 to {MOST_RECORDS}"
        raise BatchRefused(message)
    records, leaps = _chained(opening.after, bodies)
    batch = Batch(after=opening.after, records=records, leaps=leaps)
    if batch.end != opening.end:
        raise BatchRefused("its records don't lead to the head that the rack has signed")
    return batch


def check_leaps(leaps: Iterable[Leap], ring: Signer | None) -> None:
    """Raise BatchRefused unless the rack has signed each gap between two records' numbers.

    Without a ring the signatures aren't looked at.
    """
    for leap in leaps:
        try:
            check_gap(leap.stored, leap.last, ring)
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
) -> tuple[tuple[BatchRecord, ...], tuple[Leap, ...]]:
    """Each record with its number and hash as the one before it allows, and where numbers leap."""
    try:
        entries = entries_in(bodies)
    except ValueError as error:
        message = f"a record after record {after.sequence} can't be understood: {error}"
        raise BatchRefused(message) from error
    records: list[BatchRecord] = []
    leaps: list[Leap] = []
    last, last_hash = after.sequence, after.hash
    for body, (sequence, entry) in zip(bodies, entries, strict=True):
        hash_ = hash_of(last_hash, body)
        if sequence != last + 1 or entry.kind is EntryKind.LEDGER_RESTORED:
            stored = StoredEntry(sequence=sequence, entry=entry, hash_hex=hash_.hex())
            leaps.append(Leap(stored=stored, last=Head(sequence=last, hash=last_hash)))
            check_leaps(leaps[-1:], None)
        last, last_hash = sequence, hash_
        records.append(BatchRecord(sequence, hash_, entry, body))
    return tuple(records), tuple(leaps)


def _unpacked(data: bytes, most: int, *, whole: bool = False) -> bytes:
    """At most so much of it: a few bytes could become as many as they like.

    `whole`: nothing may be missing or follow.
    """
    packed = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = packed.decompress(data, most + whole)
    except zlib.error as error:
        raise BatchRefused("it can't be unpacked") from error
    if whole and len(unpacked) > most:
        message = f"unpacked it is larger than {most} bytes"
        raise BatchRefused(message)
    if whole and (not packed.eof or packed.unused_data):
        raise BatchRefused("it was cut short, or something follows it")
    return unpacked
