"""The hash chain: record follows record, and the signed head lies on it."""

from __future__ import annotations

from collections.abc import Callable, Generator

import apsw

from benchd.domain.errors import LedgerBroken, LedgerFault
from benchd.domain.record import EntryKind
from benchd.domain.sql_statements import query
from benchd.ledger.head import EMPTY_HEAD, Head
from benchd.ledger.ledger_record import COLUMNS, Row, row_of, unseal
from benchd.ledger.restore_gap import check_gap
from benchd.signing.public_key import Signer

LARGEST_SEQUENCE = (1 << 63) - 1

_FOLLOWING = f"SELECT {COLUMNS} FROM record WHERE sequence > ? ORDER BY sequence"  # noqa: S608


def linked_rows(
    connection: apsw.Connection, after: Head, key: Signer | None = None
) -> Generator[Row]:
    """Every record after a known one, in order; raises LedgerBroken at the first that is wrong.

    With the rack's key a restore, the only gap that there may be, has to be signed.
    """
    last = after
    try:
        for columns in query(connection, _FOLLOWING, (after.sequence,)):
            row = row_of(columns, sequence=last.sequence + 1)
            if row.sequence != last.sequence + 1 and row.kind != EntryKind.LEDGER_RESTORED:
                missing = last.sequence + 1
                message = f"record {missing} is missing: record {row.sequence} is in its place"
                raise LedgerBroken(message, sequence=missing)
            stored = unseal(row)
            if stored.entry.kind is EntryKind.LEDGER_RESTORED:
                check_gap(stored, last, key)
            if row.previous != last.hash:
                message = f"record {row.sequence} doesn't follow the one before it"
                raise LedgerBroken(message, sequence=row.sequence)
            last = Head(sequence=row.sequence, hash=row.hash)
            yield row
    except (apsw.InterruptError, apsw.BusyError) as error:
        message = f"the ledger can't be read now: {error}"
        raise LedgerFault(message) from error
    except (apsw.Error, MemoryError, UnicodeDecodeError) as error:
        message = f"record {last.sequence + 1} can't be read: {error}"
        raise LedgerBroken(message, sequence=last.sequence + 1) from error


def end_of_chain(
    connection: apsw.Connection,
    *,
    signed: Head | None,
    key: Signer,
    after: Head = EMPTY_HEAD,
    each: Callable[[Row], None] | None = None,
) -> Head:
    """The last record of a chain that holds together after a known record and reaches its head.

    `each` hears of every record on the way.
    """
    end = after
    for row in linked_rows(connection, after, key):
        end = Head(sequence=row.sequence, hash=row.hash)
        if each is not None:
            each(row)
        if signed and signed.sequence == end.sequence and signed != end:
            message = f"record {end.sequence} isn't the one that the head was signed for"
            raise LedgerBroken(message, sequence=end.sequence)
    if signed is None and end.sequence:
        message = "the ledger has records, but its signed head file is gone"
        raise LedgerBroken(message, sequence=0)
    if signed and signed.sequence > end.sequence:
        message = (
            f"record {end.sequence + 1} is missing: the ledger ends at record {end.sequence}, "
            f"and its signed head says {signed.sequence}"
        )
        raise LedgerBroken(message, sequence=end.sequence + 1)
    if signed and signed.sequence == 0 and signed != EMPTY_HEAD:
        message = "the head of an empty ledger names a record"
        raise LedgerBroken(message, sequence=0)
    return end


def known_record(connection: apsw.Connection, *, records_before_end: int, at_most: int) -> Head:
    """A record near the end to check the chain from, itself unchecked, and not beyond `at_most`."""
    last = _head_at(connection, LARGEST_SEQUENCE)
    start = min(last.sequence - records_before_end, at_most)
    return _head_at(connection, start) if start > 0 else EMPTY_HEAD


def _head_at(connection: apsw.Connection, sequence: int) -> Head:
    sql = "SELECT sequence, hash FROM record WHERE sequence <= ? ORDER BY sequence DESC LIMIT 1"
    match next(query(connection, sql, (sequence,)), None):
        case (int() as number, bytes() as hash_):
            return Head(sequence=number, hash=hash_)
        case _:
            return EMPTY_HEAD
