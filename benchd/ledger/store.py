"""The ledger as plain blocking calls: one connection, one call at a time."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import apsw

from benchd.errors import LedgerFault
from benchd.ledger.chain import end_of_chain, known_record
from benchd.ledger.database import open_for_writing, query
from benchd.ledger.files import create_file
from benchd.ledger.head import Head, HeadKey
from benchd.ledger.head_file import HeadFile, head_path, read_head
from benchd.ledger.lock import writer_lock
from benchd.ledger.record import COLUMNS, Row, seal
from benchd.signing.public_key import public_key_of
from benchd.words.record import Entry, Receipt

CHECKPOINT_PAGES = 1000
CLOSE_WAIT_S = 5.0
TAIL_RECORDS = 100
"""How many of the last records are verified at every start; `verify_ledger` does them all."""

_INSERT = f"INSERT INTO record ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608


class LedgerStore:
    """A ledger opened for adding. After one failed append it refuses everything."""

    def __init__(self, path: Path, head_key: HeadKey) -> None:
        """Take the writer's lock, open or make the ledger and check its end against the head."""
        self._call = threading.Lock()
        self._refusal: str | None = None
        self._wal_pages = 0
        with ExitStack() as stack:
            try:
                stack.enter_context(writer_lock(path))
                public_key = public_key_of(head_key.public_key_pem)
                signed = read_head(head_path(path), public_key, strict=False)
                create_file(path)
                self._connection = open_for_writing(path)
                stack.callback(self._connection.close)
                self._connection.set_wal_hook(self._count_pages)
                self._head = self._checked_end(signed)
                self._head_file = HeadFile(head_path(path), self._head, head_key)
                stack.callback(self._head_file.close)
            except (apsw.Error, OSError) as error:
                message = f"the ledger {path} can't be opened: {error}"
                raise LedgerFault(message) from error
            self._resources = stack.pop_all()

    def refuse(self, reason: str) -> None:
        """Refuse every further call; may be called while another thread is inside one."""
        self._refusal = self._refusal or reason

    def check(self) -> None:
        """Raise LedgerFault if nothing is served any more."""
        if self._refusal is not None:
            message = f"the ledger refuses everything since {self._refusal}"
            raise LedgerFault(message)

    def append(self, entry: Entry) -> Receipt:
        """Add a record; it and the head are on disk when this returns."""
        with self._turn():
            row = seal(entry, sequence=self._head.sequence + 1, previous=self._head.hash)
            try:
                self._write(row)
            except BaseException as error:
                # A commit or a sync that failed may be on disk or not, so nothing may follow it.
                self.refuse(f"record {row.sequence} couldn't be stored ({error})")
                self._roll_back()
                if isinstance(error, apsw.Error | OSError):
                    message = f"the ledger couldn't store record {row.sequence}: {error}"
                    raise LedgerFault(message) from error
                raise
            return Receipt(sequence=row.sequence, hash_hex=row.hash.hex())

    def close(self) -> None:
        """Bring everything into the one file and let go of the lock; never raises."""
        # A thread that hangs in the disk still uses the connection: better to leave it open.
        if not self._call.acquire(timeout=CLOSE_WAIT_S):
            return
        try:
            self.refuse("it was closed")
            with suppress(apsw.Error, OSError):
                self._resources.close()
        finally:
            self._call.release()

    @contextmanager
    def _turn(self) -> Generator[None]:
        # The ledger's limiter lets one call in at a time, until one is given up while its
        # thread goes on: from then on this lock keeps others out of the connection.
        with self._call:
            self.check()
            yield

    def _write(self, row: Row) -> None:
        self._checkpoint_when_due()
        query(self._connection, "BEGIN IMMEDIATE")
        query(
            self._connection,
            _INSERT,
            (
                row.sequence,
                row.previous,
                row.hash,
                row.kind,
                row.slot,
                row.occupancy,
                row.job,
                row.body,
            ),
        )
        query(self._connection, "COMMIT")
        head = Head(sequence=row.sequence, hash=row.hash)
        self._head_file.advance(head)
        self._head = head

    def _roll_back(self) -> None:
        with suppress(apsw.Error):
            if self._connection.in_transaction:
                query(self._connection, "ROLLBACK")

    def _checkpoint_when_due(self) -> None:
        # Before an append, so that a disk that fails here has not half-stored the record; and
        # with TRUNCATE, so that the WAL never holds old frames that nothing covers any more.
        if self._wal_pages < CHECKPOINT_PAGES:
            return
        # A read that goes on needs the WAL as it is; the next append tries again.
        with suppress(apsw.BusyError):
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            self._wal_pages = 0

    def _count_pages(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _checked_end(self, signed: Head | None) -> Head:
        before_head = signed.sequence - 1 if signed else 0
        after = known_record(self._connection, records_before_end=TAIL_RECORDS, at_most=before_head)
        return end_of_chain(self._connection, signed=signed, after=after)
