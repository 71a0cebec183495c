"""Whether a ledger is byte for byte what benchd wrote, found out without touching it."""

from __future__ import annotations

import struct
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw

from benchd.domain.errors import LedgerBroken
from benchd.domain.sql_statements import query
from benchd.ledger.chain import end_of_chain
from benchd.ledger.checksum_vfs import CHECKSUM_BYTES
from benchd.ledger.head import Head
from benchd.ledger.head_file import SignedHeads, read_heads
from benchd.ledger.ledger_database import PAGE_BYTES, check_schema, open_copy
from benchd.ledger.recorded_checkpoints import CheckpointReport, check_checkpoints
from benchd.ledger.rotation_check import check_gone_on, check_rotations, witnesses_of_ring
from benchd.ledger.snapshot import snapshot, state_of
from benchd.ledger.unsigned_tail import signed_up_to
from benchd.ledger.witness import check_witnesses
from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import Signer, public_key_of

_WORDS = struct.Struct(f"<{(PAGE_BYTES - CHECKSUM_BYTES) // 4}I")
_CHECKSUM = struct.Struct("<2I")
_PAGE_COUNT = struct.Struct(">I")
_PAGE_COUNT_OFFSET = 28
_MASK = 0xFFFFFFFF
TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What a ledger that verifies holds."""

    records: int
    head_hash: str
    signed_records: int
    """How far the rack has signed; the records after that were never acknowledged by benchd."""
    checkpoints: CheckpointReport


def verify_ledger(path: Path, public_key_pem: bytes, ring: KeyRing | None = None) -> VerifyReport:
    """Check every byte, every record and the signed head; raises LedgerBroken for the first wrong.

    `ring` leads to that key, where the rack has had others before.

    `LedgerBroken.sequence` is 0 where the damage lies outside of every record.
    """
    key = ring or public_key_of(public_key_pem)
    for _ in range(TRIES - 1):
        before = state_of(path)
        try:
            return _verify(path, key)
        except LedgerBroken:
            # A copy of a ledger that is being written to can be torn; damage stays where it is.
            if state_of(path) == before:
                raise
    return _verify(path, key)


def verify_file(database: Path, signed: Head, key: Signer, *, behind: bool = False) -> VerifyReport:
    """The same of a file that nobody else has open, in place, by a head that was signed for it.

    It may be `behind` the ring while a restore is put on record, and only then.

    Raises LedgerBroken unless the file ends there.
    """
    heads = SignedHeads(signed=signed)
    report = _report(database, heads, damage_of(database, settled=True), key, behind=behind)
    if report.head_hash != signed.hash.hex():
        message = f"there are records after record {signed.sequence}, at which it has to end"
        raise LedgerBroken(message, sequence=signed.sequence + 1)
    return report


def _verify(path: Path, key: Signer) -> VerifyReport:
    with snapshot(path) as copy:
        damage = damage_of(copy.database, settled=not copy.has_wal)
        heads = read_heads(copy.head, key, strict=True)
        return _report(copy.database, heads, damage, key)


def _report(
    database: Path,
    heads: SignedHeads | None,
    damage: str | None,
    key: Signer,
    *,
    behind: bool = False,
) -> VerifyReport:
    """The last record, and how many there are: a restore leaves numbers out."""
    signed = heads.signed if heads else None
    try:
        with closing(open_copy(database)) as connection:
            end = end_of_chain(connection, signed=signed, key=key)
            if damage is not None:
                message = f"all {end.sequence} records hold, but outside of them {damage}"
                raise LedgerBroken(message, sequence=0)
            if isinstance(key, KeyRing):
                check_rotations(connection, key)
            if isinstance(key, KeyRing) and not behind:
                check_witnesses(connection, witnesses_of_ring(key))
                check_gone_on(connection, key, signed)
            check_schema(connection)
            _check_integrity(connection)
            checkpoints = check_checkpoints(connection, key)
            return VerifyReport(
                records=_count(connection),
                head_hash=end.hash.hex(),
                signed_records=signed_up_to(connection, heads),
                checkpoints=checkpoints,
            )
    except apsw.Error as error:
        message = f"the ledger's file can't be read: {damage or error}"
        raise LedgerBroken(message, sequence=1) from error


def _check_integrity(connection: apsw.Connection) -> None:
    found = [str(columns[0]) for columns in query(connection, "PRAGMA integrity_check(10)")]
    if found != ["ok"]:
        message = f"the ledger's indexes don't fit its records: {'; '.join(found)}"
        raise LedgerBroken(message, sequence=0)


def _count(connection: apsw.Connection) -> int:
    match next(query(connection, "SELECT count(*) FROM record"), None):
        case (int() as records,):
            return records
        case _:
            return 0


def page_checksum(page: bytes) -> bytes:
    """The eight bytes that SQLite's checksum VFS puts at the end of a page.

    Any one changed byte changes them: the sums are linear, and two neighbouring Fibonacci
    numbers, by which a word enters the two sums, are never both zero modulo 2**32.
    """
    words = iter(_WORDS.unpack_from(page))
    first = second = 0
    for even, odd in zip(words, words, strict=True):
        first = (first + even + second) & _MASK
        second = (second + odd + first) & _MASK
    return _CHECKSUM.pack(first, second)


def damage_of(path: Path, *, settled: bool) -> str | None:
    """What is wrong with the pages of a ledger's file, or None; nothing but their bytes is asked.

    `settled` means that no WAL belongs to the file, so that its length has to be exact.
    """
    pages = 0
    announced = 0
    with path.open("rb") as file:
        while page := file.read(PAGE_BYTES):
            pages += 1
            if len(page) != PAGE_BYTES:
                return f"the file ends in the middle of page {pages}"
            if page_checksum(page) != page[-CHECKSUM_BYTES:]:
                start = (pages - 1) * PAGE_BYTES
                return f"page {pages} (bytes {start} to {start + PAGE_BYTES - 1}) has changed"
            if pages == 1:
                (announced,) = _PAGE_COUNT.unpack_from(page, _PAGE_COUNT_OFFSET)
    if settled and pages != announced:
        return f"the file has {pages} pages, and its first page says {announced}"
    return None
