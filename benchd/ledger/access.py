"""The ledger as the core sees it: bounded in time, appends and reads on threads of their own."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import apsw
from anyio import CancelScope, CapacityLimiter, to_thread

from benchd.errors import LedgerFault
from benchd.ledger.committer import Committer
from benchd.ledger.head import Head, HeadKey
from benchd.ledger.reader import NEWEST_RECEIPTS, LedgerReader, Restores
from benchd.ledger.running import check_written
from benchd.ledger.store import LedgerStore
from benchd.ledger.witness import Witness
from benchd.signing.public_key import Signer, public_key_of
from benchd.signing.ring import KeyRing
from benchd.words.handset import Trait
from benchd.words.ids import JobId, SlotName
from benchd.words.record import OF_INTAKE, Entry, EntryKind, Receipt, StoredEntry

DEADLINE_S = 10.0

_Seen = TypeVar("_Seen")

_OPEN_JOBS = """
    WHERE kind = 'job_opened' AND NOT EXISTS (
        SELECT 1 FROM record WHERE kind = 'job_ended' AND job = this.job
    )
    ORDER BY sequence
"""
_LAST_OCCUPANCY = """
    WHERE slot = ?1 AND occupancy = (
        SELECT max(occupancy) FROM record WHERE slot = ?1 AND occupancy IS NOT NULL
    )
    ORDER BY sequence
"""
_OF_INTAKE = f"""
    WHERE sequence >= ? AND kind IN ({", ".join(f"'{kind.value}'" for kind in OF_INTAKE)})
    ORDER BY sequence LIMIT ?
"""
INTAKE_PAGE = 500
"""Records: of the largest ones that is a second's work."""
_NEWEST_OF_KIND = "WHERE kind = ? ORDER BY sequence DESC LIMIT 1"
_OF_PEOPLE = "WHERE kind = 'person_changed' ORDER BY sequence"
_STEPS_OF_CLOCK = "WHERE kind = 'clock_stepped' ORDER BY sequence"
_OF_TOKENS = "WHERE kind = 'token_changed' ORDER BY sequence"
_FOLLOWING = "WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?"
_NEWEST_JOBS = "WHERE kind = 'job_opened' ORDER BY sequence DESC LIMIT ?"


def _told(*keys: str) -> str:
    """An expression that is indexed: what a stage's evidence has under the first of these keys."""
    values = [f"json_extract(CAST(body AS TEXT), '$.data.evidence.{key}')" for key in keys]
    value = values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"
    return f"iif(json_valid(CAST(body AS TEXT)), {value}, NULL)"


_IMEI = _told("imei")
_OTHER_NUMBER = _told("second_imei", "screen_number")
_TOLD_IN: Mapping[Trait, tuple[str, ...]] = {
    Trait.IMEI: (_IMEI, _OTHER_NUMBER, _told("second_number")),
    Trait.SERIAL: (_told("serial"), _OTHER_NUMBER),
    Trait.CHIP: (_told("chip"),),
}


def _handset_jobs(trait: Trait) -> str:
    """The newest jobs that tell it, and all of them that doom its handset or have drawn it."""
    tellers = " UNION ".join(
        f"SELECT job FROM record WHERE kind = 'stage_ended' AND {told} = ?1"  # noqa: S608
        for told in _TOLD_IN[trait]
    )
    return f"""
    WHERE kind = 'job_opened' AND job IN (
        WITH mine AS MATERIALIZED ({tellers})
        SELECT job FROM (
            SELECT job FROM record WHERE kind = 'job_opened' AND job IN mine
            ORDER BY sequence DESC LIMIT ?2
        )
        UNION SELECT job FROM record WHERE kind = 'recheck_drawn' AND job IN mine
        UNION SELECT job FROM record WHERE kind = 'job_ended' AND job IN mine
            AND json_extract(CAST(body AS TEXT), '$.data.disposition') = 'destroy'
        UNION SELECT job FROM record WHERE kind = 'handset_settled' AND job IN mine
            AND json_extract(CAST(body AS TEXT), '$.data.to') IN ('to_destroy', 'destroyed')
    )
    ORDER BY sequence DESC
"""  # noqa: S608


_HANDSET_JOBS: Mapping[Trait, str] = {trait: _handset_jobs(trait) for trait in Trait}
_OF_TAC = f"WHERE kind = 'stage_ended' AND {_IMEI} >= ?1 AND {_IMEI} < ?2 LIMIT ?3"


class SqliteLedger:
    """The `Ledger` on one SQLite file; `open_ledger` makes it."""

    def __init__(
        self,
        store: LedgerStore,
        reader: LedgerReader,
        walker: LedgerReader,
        *,
        key: Signer,
        deadline_s: float,
        commit_seconds: Callable[[float], None] | None,
        committed: Callable[[int], None] | None,
    ) -> None:
        """Take over an open ledger.

        `commit_seconds` hears how long each append took, `committed` how many shared a commit.
        """
        self._store = store
        self._committer = Committer(store, committed)
        self._reader = reader
        # Its own connection: a walk is never interrupted for a read that takes too long.
        self._walker = walker
        self._key = key
        self._reads = CapacityLimiter(1)
        self._walks = CapacityLimiter(1)
        self._deadline_s = deadline_s
        self._commit_seconds = commit_seconds

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
        if self._commit_seconds is not None:
            self._commit_seconds(time.perf_counter() - started)
        return receipt

    async def entries(self, job: JobId) -> Sequence[StoredEntry]:
        """All records of one job in order, their hashes recomputed and compared.

        While it runs they are compared with what was written, too: a certificate rests on them.
        """
        written = self._store.running.written(job)
        records = await self._select("WHERE job = ? ORDER BY sequence", job)
        check_written(written, records)
        return records

    async def open_jobs(self) -> Sequence[StoredEntry]:
        """The JOB_OPENED record of each job without JOB_ENDED."""
        return await self._select(_OPEN_JOBS)

    async def slot_entries(self, slot: SlotName) -> Sequence[StoredEntry]:
        """All records of the last occupancy of a slot; empty where it never had one."""
        return await self._select(_LAST_OCCUPANCY, slot)

    async def handset_jobs(self, trait: Trait, value: str, limit: int) -> Sequence[JobId]:
        """The newest jobs that tell this of their handset, and all that doom or have drawn it."""
        opened = await self._select(_HANDSET_JOBS[trait], value, limit)
        return [stored.entry.job for stored in opened if stored.entry.job is not None]

    async def told_of_tac(self, tac: str, limit: int) -> Sequence[StoredEntry]:
        """Some records in which a handset told an IMEI of this type allocation code over adb."""
        return await self._select(_OF_TAC, tac, f"{tac}:", limit)

    async def job_ids(self, limit: int) -> Sequence[JobId]:
        """The newest jobs first."""
        opened = await self._select(_NEWEST_JOBS, max(0, limit))
        return [stored.entry.job for stored in opened if stored.entry.job is not None]

    async def intake(self, since: int) -> Sequence[StoredEntry]:
        """All records of intake from this number on, in order; read a page at a time."""
        found: list[StoredEntry] = []
        while True:
            page = await self._select(_OF_INTAKE, since, INTAKE_PAGE)
            found += page
            if len(page) < INTAKE_PAGE:
                return found
            since = page[-1].sequence + 1

    @property
    def head(self) -> Head:
        """The last record that is stored."""
        return self._store.head

    @property
    def writer_lives(self) -> bool:
        """Whether the thread does that commits; may be asked from any thread."""
        return self._committer.lives

    def signed_head(self) -> tuple[Head, bytes]:
        """The last record that is stored, and the rack's own word for it."""
        return self._store.signed_head()

    async def restores(self) -> Restores:
        """The restores on record, and the numbers they have left out; only a restore changes it."""
        return await self._walk(self._walker.restores)

    async def newest_of(self, kind: EntryKind) -> StoredEntry | None:
        """The newest record of a kind."""
        found = await self._select(_NEWEST_OF_KIND, kind.value)
        return found[0] if found else None

    async def newest_receipts(self, most: int) -> Sequence[StoredEntry]:
        """So many of what anchors have said to a head, the newest first."""
        return await self._select(NEWEST_RECEIPTS, most)

    async def of_people(self) -> Sequence[StoredEntry]:
        """Every change of the people who may use the rack, in order."""
        return await self._select(_OF_PEOPLE)

    async def steps_of_clock(self) -> Sequence[StoredEntry]:
        """Each time that the clock was found to be set back, in order."""
        return await self._select(_STEPS_OF_CLOCK)

    async def of_tokens(self) -> Sequence[StoredEntry]:
        """Every change of the tokens of other systems, in order."""
        return await self._select(_OF_TOKENS)

    async def follow(self, after: Head, most: int) -> tuple[Head, int]:
        """How far the chain holds within so many records after a known one, and how many."""
        return await self._walk(partial(self._walker.follow, after, most, self._key))

    async def entries_after(self, sequence: int, most: int) -> Sequence[StoredEntry]:
        """So many records after a known one, in order, each with its hash recomputed.

        None beyond the head: what others follow by this has been acknowledged.
        """
        wanted = (sequence, self._store.head.sequence, most)
        return await self._walk(partial(self._walker.select, _FOLLOWING, wanted))

    async def entry_at(self, sequence: int) -> StoredEntry | None:
        """The record of this number."""
        found = await self._walk(partial(self._walker.select, "WHERE sequence = ?", (sequence,)))
        return found[0] if found else None

    async def check_witness(self, witness: Witness) -> None:
        """Raise LedgerBroken if it names a record that the ledger doesn't have."""
        await self._walk(partial(self._walker.check_witness, witness))

    async def aclose(self) -> None:
        """Close the ledger's file in good order; never raises."""
        with CancelScope(shield=True):
            for reader in (self._walker, self._reader):
                # Waits a while itself for one that hangs, whose turn never ends.
                await to_thread.run_sync(reader.close, limiter=CapacityLimiter(1))
            await self._committer.aclose()

    async def _walk(self, look: Callable[[], _Seen]) -> _Seen:
        # Whoever waits for it may go: at the daemon's end a disk that hangs holds nobody back.
        return await to_thread.run_sync(look, limiter=self._walks, abandon_on_cancel=True)

    async def _select(self, condition: str, *values: str | int) -> list[StoredEntry]:
        self._store.check()
        try:
            with anyio.fail_after(self._deadline_s):
                return await to_thread.run_sync(
                    partial(self._reader.select, condition, values),
                    limiter=self._reads,
                    abandon_on_cancel=True,
                )
        except TimeoutError as error:
            self._reader.interrupt()
            message = f"the ledger gave no answer within {self._deadline_s:g} s"
            raise LedgerFault(message) from error


@asynccontextmanager
async def open_ledger(
    path: Path,
    *,
    head_key: HeadKey,
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
    path: Path, head_key: HeadKey, witnesses: Iterable[Witness], ring: KeyRing | None
) -> tuple[LedgerStore, LedgerReader, LedgerReader]:
    store = LedgerStore(path, head_key, witnesses, ring)
    try:
        return store, LedgerReader(path), LedgerReader(path)
    except BaseException as error:
        store.close()
        if isinstance(error, apsw.Error):
            message = f"the ledger {path} can't be opened for reading: {error}"
            raise LedgerFault(message) from error
        raise
