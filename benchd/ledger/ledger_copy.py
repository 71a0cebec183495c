"""Copies a ledger's records into a fresh file, a piece at a time, while somebody writes to it.

Records are never changed, so the first so many of them are what the ledger was at that moment.
Between two pieces nothing of the ledger is held: no append waits, and its WAL doesn't grow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import apsw

from benchd.domain.errors import DependencyMissing, LedgerBroken, LedgerFault
from benchd.domain.sql_statements import query
from benchd.ledger.chain import linked_rows
from benchd.ledger.head import EMPTY_HEAD, Head
from benchd.ledger.ledger_database import check_form, open_for_reading, open_new
from benchd.ledger.ledger_record import INSERT, Row, values_of
from benchd.signing.public_key import Signer

PIECE_RECORDS: Final = 500
PIECE_BYTES: Final = 1 << 20
BUSY_MS: Final = 5000
"""A ledger that is just being opened or closed by its daemon is waited for."""


def copy_records(
    ledger: Path,
    draft: Path,
    upto: Head,
    key: Signer,
    pace: Callable[[float], object] = time.sleep,
) -> int:
    """Fill an empty file with all records up to a signed head; how many there are.

    `pace` hears after each piece how many seconds it took, and waits as long: at most half of the
    disk is ever taken from the appends.

    Raises LedgerBroken at the first record that is wrong, LedgerFault where the ledger can't be
    read, and DependencyMissing where the file can't be written.
    """
    end, count = EMPTY_HEAD, 0
    with _opened(ledger) as source, closing(_new(draft)) as target:
        while end.sequence < upto.sequence:
            began = time.monotonic()
            rows = _piece(source, end, upto, key)
            if not rows:
                message = f"record {end.sequence + 1} is missing, and the signed head is beyond it"
                raise LedgerBroken(message, sequence=end.sequence + 1)
            _write(target, draft, rows)
            end = Head(sequence=rows[-1].sequence, hash=rows[-1].hash)
            count += len(rows)
            pace(time.monotonic() - began)
    if end != upto:
        message = f"record {end.sequence} isn't the one that the head was signed for"
        raise LedgerBroken(message, sequence=end.sequence)
    return count


def cannot_write(place: Path, error: Exception) -> DependencyMissing:
    """What to tell where a copy can't be written."""
    message = f"the backup can't be written to {place}: {error}"
    return DependencyMissing(message, cure="Make room there, or name another folder.")


@contextmanager
def _opened(ledger: Path) -> Generator[apsw.Connection]:
    with closing(_connected(ledger)) as connection:
        check_form(connection)
        yield connection


def _connected(ledger: Path) -> apsw.Connection:
    try:
        connection = open_for_reading(ledger)
        connection.set_busy_timeout(BUSY_MS)
    except apsw.Error as error:
        message = f"the ledger {ledger} can't be opened for reading: {error}"
        raise LedgerFault(message) from error
    return connection


def _new(draft: Path) -> apsw.Connection:
    try:
        return open_new(draft)
    except apsw.Error as error:
        raise cannot_write(draft, error) from error


def _piece(source: apsw.Connection, after: Head, upto: Head, key: Signer) -> list[Row]:
    rows: list[Row] = []
    size_bytes = 0
    # Closed at its end, so that it keeps no snapshot of the ledger.
    with closing(linked_rows(source, after, key)) as following:
        for row in following:
            if row.sequence > upto.sequence:
                break
            rows.append(row)
            size_bytes += len(row.body)
            if len(rows) >= PIECE_RECORDS or size_bytes >= PIECE_BYTES:
                break
    return rows


def _write(target: apsw.Connection, draft: Path, rows: Sequence[Row]) -> None:
    try:
        query(target, "BEGIN IMMEDIATE")
        for row in rows:
            query(target, INSERT, values_of(row))
        query(target, "COMMIT")
    except apsw.Error as error:
        raise cannot_write(draft, error) from error
