"""The ledger as plain blocking calls: one connection, one call at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import apsw

from benchd.domain.errors import LedgerFault
from benchd.domain.record import Entry, Receipt
from benchd.domain.sql_statements import query
from benchd.ledger.durable_files import create_file
from benchd.ledger.head import Head, encode_head
from benchd.ledger.head_file import HeadFile, head_path, read_heads
from benchd.ledger.ledger_database import open_for_writing
from benchd.ledger.ledger_record import INSERT, Row, seal, values_of
from benchd.ledger.lock import writer_lock
from benchd.ledger.open_jobs import RunningJobs
from benchd.ledger.prepared_head import Prepared
from benchd.ledger.restore_gap import number_above, restored_data
from benchd.ledger.start_check import check_start
from benchd.ledger.unsigned_tail import MOST_UNSIGNED
from benchd.ledger.witness import Witness
from benchd.signing.key_ring import KeyRing
from benchd.signing.private_key import SigningKey
from benchd.signing.public_key import public_key_of

CHECKPOINT_PAGES = 1000
CLOSE_WAIT_S = 5.0
LOCK_WITHIN_S = 10.0
"""How long another process may have the file locked before an append says so."""
LOCK_ASKED_EVERY_S = 0.02


MOST_RECORDS: Final = 64
"""More would hold up those that come next for longer than another sync does."""
MOST_BYTES: Final = 4 << 20
"""After this many no further entry is taken, however small it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The rows of one commit, and what there is to say to who asked for them."""

    rows: Sequence[Row]
    answers: list[Receipt | Exception]
    """For each entry that was taken, in their order; a receipt counts once the rows are stored."""


def seal_batch(entries: Sequence[Entry], *, after: Head) -> Batch:
    """Link entries to the chain, the first at least and as many more as one commit takes."""
    rows: list[Row] = []
    answers: list[Receipt | Exception] = []
    last, size = after, 0
    for entry in entries[:MOST_RECORDS]:
        try:
            row = seal(entry, sequence=last.sequence + 1, previous=last.hash)
        except Exception as refusal:  # noqa: BLE001 - one entry's fault, whatever it is
            answers.append(refusal)
            continue
        rows.append(row)
        answers.append(receipt_of(row))
        last, size = Head(sequence=row.sequence, hash=row.hash), size + len(row.body)
        if size >= MOST_BYTES:
            break
    return Batch(rows=rows, answers=answers)


def receipt_of(row: Row) -> Receipt:
    """What whoever asked for a row is told once it is on disk."""
    return Receipt(sequence=row.sequence, hash_hex=row.hash.hex())


class _StillLocked(LedgerFault):
    """Raised when another process keeps the file locked: nothing was stored, so nothing is over."""


class LedgerStore:
    """A ledger opened for adding. After one failed append it refuses everything."""

    def __init__(
        self,
        path: Path,
        head_key: SigningKey,
        witnesses: Iterable[Witness] = (),
        ring: KeyRing | None = None,
        *,
        behind: bool = False,
        unsigned: bool = False,
    ) -> None:
        """Take the writer's lock, open or make the ledger, check its end by head and witnesses.

        `ring` has the keys that signed before `head_key` did. The ledger may be `behind` it while
        a rotation or a restore is put on record, and only then. Records that nobody has signed are
        signed now, as many as a crash leaves; more of them only where `unsigned` ones are taken.

        Raises LedgerBroken or LedgerFault.
        """
        self._head_key = head_key
        self._call = threading.Lock()
        self._refusal: str | None = None
        self._wal_pages = 0
        self.running = RunningJobs()
        with ExitStack() as stack:
            try:
                stack.enter_context(writer_lock(path))
                signer = ring or public_key_of(head_key.public_key_pem)
                heads = read_heads(head_path(path), signer, strict=False)
                create_file(path)
                self._connection = open_for_writing(path)
                stack.callback(self._connection.close)
                self._connection.set_wal_hook(self._count_pages)
                self._head = check_start(
                    self._connection,
                    heads,
                    signer,
                    witnesses,
                    behind=behind,
                    unsigned=unsigned,
                )
                self._head_file = HeadFile(head_path(path), self._head, head_key)
                stack.callback(self._head_file.close)
            except (apsw.Error, OSError) as error:
                message = f"the ledger {path} can't be opened: {error}"
                raise LedgerFault(message) from error
            self._resources = stack.pop_all()

    def refuse(self, reason: str) -> None:
        """Refuse every further call; may be called while another thread is inside one."""
        self._refusal = self._refusal or reason

    @property
    def refuses(self) -> bool:
        """Whether nothing is served any more; may be asked from any thread."""
        return self._refusal is not None

    def check(self) -> None:
        """Raise LedgerFault if nothing is served any more."""
        if self._refusal is not None:
            message = f"the ledger refuses everything since {self._refusal}"
            raise LedgerFault(message)

    def append(self, entry: Entry) -> Receipt:
        """Add a record; it and the head are on disk when this returns."""
        [answer] = self.append_all([entry])
        if isinstance(answer, Receipt):
            return answer
        raise answer

    def append_all(self, entries: Sequence[Entry]) -> list[Receipt | Exception]:
        """Add records in their order by one commit; they and the head are on disk on return.

        An answer for each of the first, as many as one batch takes, and one at least: its receipt,
        or why it alone can't be kept. Raises where the batch couldn't be stored: nobody can then
        say what of it is on disk, and nothing more is served.
        """
        with self._turn():
            batch = seal_batch(entries, after=self._head)
            if batch.rows:
                self._add(batch.rows)
            return batch.answers

    def number_on(self, entry: Entry, *, known: int) -> Receipt:
        """Add the record of a restore, above the highest number that anybody knows of."""
        with self._turn():
            sequence = number_above(max(known, self._head.sequence), entry.at)
            data = restored_data(self._head, sequence=sequence, known=known, key=self._head_key)
            numbered = replace(entry, data={**entry.data, **data})
            row = seal(numbered, sequence=sequence, previous=self._head.hash)
            self._add([row])
            return receipt_of(row)

    @property
    def head(self) -> Head:
        """The last record that is stored."""
        return self._head

    def signed_head(self) -> tuple[Head, bytes]:
        """The last record that is stored, and the rack's own word for it."""
        head = self._head
        return head, encode_head(head, self._head_key)

    def _add(self, rows: Sequence[Row]) -> None:
        try:
            self._checkpoint_when_due()
            self._begin()
            self._write(rows)
        except _StillLocked:
            raise
        except BaseException as error:
            # A commit or a sync that failed may be on disk or not, so nothing may follow it.
            self.refuse(f"{_names(rows)} couldn't be stored ({error})")
            self._roll_back()
            if isinstance(error, apsw.Error | OSError):
                message = f"the ledger couldn't store {_names(rows)}: {error}"
                raise LedgerFault(message) from error
            raise

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

    def _begin(self) -> None:
        """Take the write lock, which another process may have for a moment."""
        until = time.monotonic() + LOCK_WITHIN_S
        while True:
            try:
                query(self._connection, "BEGIN IMMEDIATE")
            except apsw.BusyError:
                self._wait_for_lock(until)
            else:
                return

    def _wait_for_lock(self, until: float) -> None:
        # Not by SQLite's own timeout: a checkpoint would wait by it for whoever reads.
        if time.monotonic() >= until:
            message = f"another process has the ledger locked for {LOCK_WITHIN_S:g} s already"
            raise _StillLocked(message)
        time.sleep(LOCK_ASKED_EVERY_S)
        # Whoever has waited too long has given the ledger up, and mustn't be surprised by a record.
        self.check()

    def _write(self, rows: Sequence[Row]) -> None:
        head = Head(sequence=rows[-1].sequence, hash=rows[-1].hash)
        if len(rows) > MOST_UNSIGNED:
            # A crash between the commit and the head would leave more of them than are believed.
            self._head_file.prepare(Prepared(reached=self._head, next=head))
        for row in rows:
            query(self._connection, INSERT, values_of(row))
        query(self._connection, "COMMIT")
        self._head_file.advance(head)
        self._head = head
        for row in rows:
            self.running.note(row)

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


def _names(rows: Sequence[Row]) -> str:
    first, last = rows[0].sequence, rows[-1].sequence
    return f"record {first}" if first == last else f"records {first} to {last}"
