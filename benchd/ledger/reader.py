"""Reading a ledger while it is added to: a connection of its own, which no append waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import apsw

from benchd.domain.errors import LedgerBroken, LedgerFault, ReadCutShort
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.sql_statements import query
from benchd.ledger.chain import linked_rows
from benchd.ledger.head import Head
from benchd.ledger.ledger_database import open_for_reading
from benchd.ledger.ledger_record import COLUMNS, Row, row_of, unseal
from benchd.ledger.witness import Witness, check_witnesses
from benchd.signing.public_key import Signer

TURN_WAIT_S = 10.0
"""How long a read waits for one before it that hangs: each that waits holds a thread."""

KINDS_OF_LEDGER = (
    EntryKind.LEDGER_CHECKED,
    EntryKind.LEDGER_ANCHORED,
    EntryKind.LEDGER_RESTORED,
)
OF_LEDGER = "WHERE kind IN ('ledger_checked', 'ledger_anchored', 'ledger_restored')"
"""Lets SQLite use the index of these few records."""

NEWEST_RECEIPTS = f"{OF_LEDGER} AND kind = 'ledger_anchored' ORDER BY sequence DESC LIMIT ?"
"""So many of what anchors have said to a head."""

_RESTORES = f"""
    SELECT count(*), coalesce(sum(sequence - 1 - coalesce(
        (SELECT max(sequence) FROM record WHERE sequence < this.sequence), 0)), 0)
    FROM record AS this {OF_LEDGER} AND kind = 'ledger_restored'
"""  # noqa: S608 - constants


class Restores(NamedTuple):
    """Older states that were put back, as the ledger has on record."""

    times: int
    left_out: int
    """How many numbers they have skipped: the last number less these counts records."""


class LedgerReader:
    """One connection that only reads, one call at a time."""

    def __init__(self, path: Path, *, unseal: Callable[[Row], StoredEntry] = unseal) -> None:
        """Open a ledger that a `LedgerStore` has open already.

        `unseal` may remember what it made of equal rows: the adversity search reads one ledger
        over and over.
        """
        self._unseal = unseal
        self._call = threading.Lock()
        self._closed = False
        self._connection = open_for_reading(path)

    def select(self, condition: str, values: Sequence[str | int] = ()) -> list[StoredEntry]:
        """The records that an SQL condition picks, each checked against its hash."""
        sql = f"SELECT {COLUMNS} FROM record AS this {condition}"  # noqa: S608
        with self._turn() as connection:
            found = list(query(connection, sql, values))
        return [self._unseal(row_of(columns, sequence=0)) for columns in found]

    def rows(self, after: int, up_to: int, most: int, most_bytes: int) -> list[Row]:
        """Records as they are stored, after one number and up to another, in order; unchecked.

        At most so many, and none after the one whose body brings them to so many bytes.
        """
        sql = (
            f"SELECT {COLUMNS} FROM record WHERE sequence > ? AND sequence <= ?"  # noqa: S608
            " ORDER BY sequence LIMIT ?"
        )
        found: list[Row] = []
        size = 0
        with self._turn() as connection:
            for columns in query(connection, sql, (after, up_to, most)):
                found.append(row_of(columns, sequence=0))
                size += len(found[-1].body)
                if size >= most_bytes:
                    break
        return found

    def restores(self) -> Restores:
        """All restores that are on record."""
        with self._turn() as connection:
            match next(query(connection, _RESTORES), None):
                case (int() as times, int() as left_out):
                    return Restores(times, left_out)
                case _:
                    return Restores(0, 0)

    def follow(self, after: Head, most: int, key: Signer) -> tuple[Head, int]:
        """How far the chain holds within so many records after a known one, and how many."""
        end, count = after, 0
        with self._turn() as connection, closing(linked_rows(connection, after, key)) as rows:
            for row in islice(rows, most):
                end, count = Head(sequence=row.sequence, hash=row.hash), count + 1
        return end, count

    def check_witness(self, witness: Witness) -> None:
        """Raise LedgerBroken if it names a record that the ledger doesn't have."""
        with self._turn() as connection:
            check_witnesses(connection, [witness])

    def interrupt(self) -> None:
        """End a query that takes too long, from another thread."""
        with suppress(apsw.Error):
            self._connection.interrupt()

    def close(self) -> None:
        """Let go of the file, unless a read hangs in it; never raises."""
        self.interrupt()
        if self._call.acquire(timeout=TURN_WAIT_S):
            self._closed = True
            with suppress(apsw.Error):
                self._connection.close()
            self._call.release()

    @contextmanager
    def _turn(self) -> Generator[apsw.Connection]:
        if not self._call.acquire(timeout=TURN_WAIT_S):
            message = "the ledger can't be read: an earlier read still hangs"
            raise LedgerFault(message)
        try:
            if self._closed:
                message = "the ledger was closed"
                raise LedgerFault(message)
            yield self._connection
        except (apsw.InterruptError, apsw.BusyError, apsw.LockedError) as error:
            message = f"a read of the ledger was cut short: {error}"
            raise ReadCutShort(message) from error
        except (apsw.CorruptError, apsw.IOError) as error:
            message = f"the ledger's file is damaged: {error}"
            raise LedgerBroken(message, sequence=0) from error
        except apsw.Error as error:
            message = f"the ledger can't be read: {error}"
            raise LedgerFault(message) from error
        finally:
            self._call.release()
