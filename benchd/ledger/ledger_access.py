"""The ledger as the core sees it: bounded in time, appends and reads on threads of their own."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import anyio
import apsw
from anyio import CancelScope, CapacityLimiter, to_thread

from benchd.domain.errors import LedgerFault
from benchd.domain.record import Entry, EntryKind, Receipt, StoredEntry
from benchd.ledger.group_commit import Committer
from benchd.ledger.head import Head
from benchd.ledger.ledger_queries import LedgerReads
from benchd.ledger.ledger_store import LedgerStore
from benchd.ledger.read_turns import ReadTurns
from benchd.ledger.reader import (
    KINDS_OF_LEDGER,
    NEWEST_RECEIPTS,
    OF_LEDGER,
    LedgerReader,
    Restores,
)
from benchd.ledger.witness import Witness
from benchd.signing.key_ring import KeyRing
from benchd.signing.private_key import SigningKey
from benchd.signing.public_key import Signer, public_key_of

DEADLINE_S = 10.0
"""For an append, and for a slot's read until it begins anew."""
VISIT_S = 5.0
"""For a visitor's read, once it has its turn."""

Append = Callable[[Entry], Awaitable[Receipt]]

_Seen = TypeVar("_Seen")

_NEWEST_OF_KIND = "WHERE kind = ? ORDER BY sequence DESC LIMIT 1"
_NEWEST_OF_LEDGER = f"{OF_LEDGER} AND kind = ? ORDER BY sequence DESC LIMIT 1"
_FOLLOWING = "WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?"


class Readers(NamedTuple):
    """A connection for each that may keep others waiting."""

    slots: LedgerReader
    visits: LedgerReader
    walks: LedgerReader


class SqliteLedger(LedgerReads):
    """The `Ledger` on one SQLite file; `open_ledger` makes it."""

    def __init__(
        self,
        store: LedgerStore,
        readers: Readers,
        *,
        key: Signer,
        deadline_s: float,
        commit_seconds: Callable[[float], None] | None,
        committed: Callable[[int], None] | None,
    ) -> None:
        """Take over an open ledger.

        `commit_seconds` hears how long each append took, `committed` how many shared a commit.
        """
        super().__init__(store.running)
        self._store = store
        self._committer = Committer(store, committed)
        self._slots = ReadTurns(readers.slots, name="slots", within_s=deadline_s)
        self._visits = ReadTurns(readers.visits, name="visits", within_s=min(deadline_s, VISIT_S))
        # Its own connection: a walk is never interrupted for a read that takes too long.
        self._walker = readers.walks
        self._key = key
        self._walks = CapacityLimiter(1)
        self._deadline_s = deadline_s
        self._commit_seconds = commit_seconds
        self._over = anyio.Event()

    async def append(self, entry: Entry) -> Receipt:
        """Returns when the record is on disk; shielded from cancellation, bounded in time."""
        started = time.perf_counter()
        try:
            with anyio.fail_after(self._deadline_s, shield=True):
                receipt = await self._committer.append(entry)
        except TimeoutError as error:
            # The thread may still store it or not, so nobody could say what the next one follows.
            reason = f"a record took longer than {self._deadline_s:g} s"
            self._store.refuse(reason)
            message = f"{reason}: the disk of the ledger hangs"
            raise LedgerFault(message) from error
        finally:
            if self._store.refuses:
                self._over.set()
        if self._commit_seconds is not None:
            self._commit_seconds(time.perf_counter() - started)
        return receipt

    @property
    def head(self) -> Head:
        """The last record that is stored."""
        return self._store.head

    async def until_over(self) -> None:
        """Raise LedgerFault once nothing more can be stored, whoever's record it was."""
        await self._over.wait()
        self._store.check()

    @property
    def writer_lives(self) -> bool:
        """Whether the thread does that commits, and still may; may be asked from any thread."""
        return self._committer.lives and not self._store.refuses

    def signed_head(self) -> tuple[Head, bytes]:
        """The last record that is stored, and the rack's own word for it."""
        return self._store.signed_head()

    async def restores(self) -> Restores:
        """The restores on record, and the numbers they have left out; only a restore changes it."""
        return await self._walk(self._walker.restores)

    async def newest_of(self, kind: EntryKind) -> StoredEntry | None:
        """The newest record of a kind."""
        is_few = kind in KINDS_OF_LEDGER
        found = await self.select(_NEWEST_OF_LEDGER if is_few else _NEWEST_OF_KIND, kind.value)
        return found[0] if found else None

    async def newest_receipts(self, most: int) -> Sequence[StoredEntry]:
        """So many of what anchors have said to a head, the newest first."""
        return await self.select(NEWEST_RECEIPTS, most)

    async def follow(self, after: Head, most: int) -> tuple[Head, int]:
        """How far the chain holds within so many records after a known one, and how many."""
        return await self._walk(partial(self._walker.follow, after, most, self._key))

    async def entries_after(self, sequence: int, most: int) -> Sequence[StoredEntry]:
        """So many records after a known one, in order, each with its hash recomputed.

        None beyond the head: what others follow by this has been acknowledged.
        """
        wanted = (sequence, self._store.head.sequence, most)
        return await self._walk(partial(self._walker.select, _FOLLOWING, wanted))

    async def check_witness(self, witness: Witness) -> None:
        """Raise LedgerBroken if it names a record that the ledger doesn't have."""
        await self._walk(partial(self._walker.check_witness, witness))

    async def aclose(self) -> None:
        """Close the ledger's file in good order; never raises."""
        with CancelScope(shield=True):
            # Waits a while itself for one that hangs, whose turn never ends.
            await to_thread.run_sync(self._walker.close, limiter=CapacityLimiter(1))
            await self._visits.aclose()
            await self._slots.aclose()
            await self._committer.aclose()

    async def _walk(self, look: Callable[[], _Seen]) -> _Seen:
        # Whoever waits for it may go: at the daemon's end a disk that hangs holds nobody back.
        return await to_thread.run_sync(look, limiter=self._walks, abandon_on_cancel=True)

    async def select(self, condition: str, *values: str | int) -> list[StoredEntry]:
        """The records that an SQL condition picks; slowness alone is no fault."""
        self._store.check()
        return await self._slots.surely(condition, values)

    def for_visitors(self, append: Append, *, patient: bool = False) -> VisitedLedger:
        """The same ledger for whoever isn't a slot, added to by `append`.

        Who is `patient` gets each answer at last, and LedgerBusy never.
        """
        return VisitedLedger(self._store, self._visits, append, patient=patient)


class VisitedLedger(LedgerReads):
    """The `Ledger` for visitors: no read of theirs keeps a slot waiting, or ends the daemon."""

    def __init__(
        self, store: LedgerStore, turns: ReadTurns, append: Append, *, patient: bool
    ) -> None:
        super().__init__(store.running)
        self._store = store
        self._turns = turns
        self._append = append
        self._patient = patient

    async def append(self, entry: Entry) -> Receipt:
        """Returns when the record is on disk; shielded from cancellation, bounded in time."""
        return await self._append(entry)

    async def select(self, condition: str, *values: str | int) -> list[StoredEntry]:
        """The records that an SQL condition picks; LedgerBusy where that can't be told now."""
        self._store.check()
        ask = self._turns.surely if self._patient else self._turns.or_refuse
        return await ask(condition, values)


@asynccontextmanager
async def open_ledger(
    path: Path,
    *,
    head_key: SigningKey,
    ring: KeyRing | None = None,
    witnesses: Iterable[Witness] = (),
    deadline_s: float = DEADLINE_S,
    commit_seconds: Callable[[float], None] | None = None,
    committed: Callable[[int], None] | None = None,
) -> AsyncGenerator[SqliteLedger]:
    """Open the ledger for writing, or make it; with the ring of a rack that has had several keys.

    Raises LedgerBroken when its end or its signed head doesn't verify or a witness knows more,
    and LedgerFault when another benchd holds it or the disk refuses.
    """
    opened = await to_thread.run_sync(
        partial(_open, path, head_key, witnesses, ring), limiter=CapacityLimiter(1)
    )
    ledger = SqliteLedger(
        *opened,
        key=ring or public_key_of(head_key.public_key_pem),
        deadline_s=deadline_s,
        commit_seconds=commit_seconds,
        committed=committed,
    )
    try:
        yield ledger
    finally:
        await ledger.aclose()


def _open(
    path: Path, head_key: SigningKey, witnesses: Iterable[Witness], ring: KeyRing | None
) -> tuple[LedgerStore, Readers]:
    store = LedgerStore(path, head_key, witnesses, ring)
    try:
        return store, Readers(*(LedgerReader(path) for _ in Readers._fields))
    except BaseException as error:
        store.close()
        if isinstance(error, apsw.Error):
            message = f"the ledger {path} can't be opened for reading: {error}"
            raise LedgerFault(message) from error
        raise
