"""The read model as plain blocking calls: one file, one connection that adds, two that read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import apsw

from benchd.domain.errors import RecordsUnavailable
from benchd.domain.handset_file import Upto
from benchd.domain.record import StoredEntry
from benchd.domain.sql_statements import query
from benchd.ledger.derived_database import throw_away
from benchd.ledger.records.record_fold import Folder
from benchd.ledger.records.records_database import open_for_reading, open_or_make
from benchd.ledger.records.records_queries import Looker
from benchd.ledger.records.row_mapping import UPTO

_Result = TypeVar("_Result")
_PASSING: Final = (
    apsw.InterruptError,
    apsw.BusyError,
    apsw.ThreadingViolationError,
    apsw.ConnectionClosedError,
)
"""Errors that say nothing of the file."""

NOTHING: Final = Upto()


class ReadModel:
    """Opened by its path; what is damaged raises RecordsUnavailable and is `damaged` from then."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it anew where it isn't a sound read model."""
        self.path = path
        self.damaged = False
        self._adding = threading.Lock()
        self._connection = open_or_make(path)
        try:
            self._folder = Folder(self._connection)
            self._readers = tuple(open_for_reading(path) for _ in range(2))
            self._turns = tuple(threading.Lock() for _ in self._readers)
        except apsw.Error as error:
            self._connection.close()
            raise self.fault(error) from error

    def upto(self) -> Upto:
        """The last record of the ledger that was taken in."""
        try:
            found = next(UPTO.rows(self._connection), NOTHING)
        except apsw.Error as error:
            raise self.fault(error) from error
        return Upto(sequence=found.sequence, hash=found.hash)

    def take(self, records: Sequence[StoredEntry]) -> None:
        """Take these records in, all or none."""
        with self._adding:
            try:
                query(self._connection, "BEGIN IMMEDIATE")
                self._folder.take(records)
                query(self._connection, "COMMIT")
            except BaseException as error:
                with suppress(apsw.Error):
                    query(self._connection, "ROLLBACK")
                if isinstance(error, apsw.Error):
                    raise self.fault(error) from error
                raise

    def look(self, ask: Callable[[Looker], _Result], *, quick: bool) -> _Result:
        """Ask one of the two connections that read; a long question never delays a quick one."""
        which = 0 if quick else 1
        # One that was given up may still be inside: its turn ends with the interruption.
        with self._turns[which]:
            try:
                return ask(Looker(self._readers[which]))
            except apsw.Error as error:
                raise self.fault(error) from error

    def fault(self, error: apsw.Error) -> RecordsUnavailable:
        """What to raise for an error of SQLite: from now on the file isn't believed."""
        if not isinstance(error, _PASSING):
            self.damaged = True
        return RecordsUnavailable(f"the file of records can't be read and is made anew: {error}")

    def interrupt(self) -> None:
        """End what reads take too long, from another thread."""
        for connection in self._readers:
            with suppress(apsw.Error):
                connection.interrupt()

    def close(self) -> None:
        """Let go of the file; never raises."""
        self.interrupt()
        for turn, connection in zip(
            (*self._turns, self._adding), (*self._readers, self._connection), strict=True
        ):
            with turn, suppress(apsw.Error):
                connection.close()

    def discard(self) -> None:
        """Close it and remove its file."""
        self.close()
        throw_away(self.path)
