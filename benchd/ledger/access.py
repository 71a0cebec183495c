"""The ledger as the core sees it: each call on the ledger's own thread, bounded in time."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
from anyio import CancelScope, CapacityLimiter, to_thread

from benchd.errors import LedgerFault
from benchd.ledger.head import HeadKey
from benchd.ledger.store import LedgerStore
from benchd.words.ids import JobId, SlotName
from benchd.words.record import Entry, Receipt, StoredEntry

DEADLINE_S = 10.0

_Result = TypeVar("_Result")

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
_NEWEST_JOBS = "WHERE kind = 'job_opened' ORDER BY sequence DESC LIMIT ?"
_OF_CHIP = """
    WHERE kind = 'stage_ended'
    AND iif(json_valid(CAST(body AS TEXT)),
            json_extract(CAST(body AS TEXT), '$.data.evidence.chip'), NULL) = ?
    ORDER BY sequence
"""


class SqliteLedger:
    """The `Ledger` on one SQLite file; `open_ledger` makes it."""

    def __init__(
        self,
        store: LedgerStore,
        *,
        limiter: CapacityLimiter,
        deadline_s: float,
        commit_seconds: Callable[[float], None] | None,
    ) -> None:
        """Take over an open store; `commit_seconds` hears how long each append took."""
        self._store = store
        self._limiter = limiter
        self._deadline_s = deadline_s
        self._commit_seconds = commit_seconds

    async def append(self, entry: Entry) -> Receipt:
        """Returns when the record is on disk; shielded from cancellation, bounded in time."""
        started = time.perf_counter()
        try:
            receipt = await self._call(self._store.append, entry, shield=True)
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
        """All records of one job in order, their hashes recomputed and compared."""
        return await self._select("WHERE job = ? ORDER BY sequence", job)

    async def open_jobs(self) -> Sequence[StoredEntry]:
        """The JOB_OPENED record of each job without JOB_ENDED."""
        return await self._select(_OPEN_JOBS)

    async def slot_entries(self, slot: SlotName) -> Sequence[StoredEntry]:
        """All records of the last occupancy of a slot; empty where it never had one."""
        return await self._select(_LAST_OCCUPANCY, slot)

    async def chip_jobs(self, chip: str, limit: int) -> Sequence[JobId]:
        """The jobs in which a scan has seen this chip, the newest first."""
        seen = await self._select(_OF_CHIP, chip)
        jobs = (stored.entry.job for stored in reversed(seen) if stored.entry.job is not None)
        return list(dict.fromkeys(jobs))[:limit]

    async def job_ids(self, limit: int) -> Sequence[JobId]:
        """The newest jobs first."""
        opened = await self._select(_NEWEST_JOBS, max(0, limit))
        return [stored.entry.job for stored in opened if stored.entry.job is not None]

    async def aclose(self) -> None:
        """Close the ledger's file in good order; never raises."""
        with CancelScope(shield=True):
            await to_thread.run_sync(self._store.close, limiter=self._limiter)

    async def _select(self, condition: str, *values: str | int) -> list[StoredEntry]:
        try:
            return await self._call(self._store.select, condition, values)
        except TimeoutError as error:
            message = f"the ledger gave no answer within {self._deadline_s:g} s"
            raise LedgerFault(message) from error

    async def _call(
        self, function: Callable[..., _Result], *arguments: object, shield: bool = False
    ) -> _Result:
        with anyio.fail_after(self._deadline_s, shield=shield):
            return await to_thread.run_sync(
                partial(function, *arguments), limiter=self._limiter, abandon_on_cancel=True
            )


@asynccontextmanager
async def open_ledger(
    path: Path,
    *,
    head_key: HeadKey,
    deadline_s: float = DEADLINE_S,
    commit_seconds: Callable[[float], None] | None = None,
) -> AsyncGenerator[SqliteLedger]:
    """Open the ledger for writing, or make it.

    Raises LedgerBroken when its end or its signed head doesn't verify, and LedgerFault when
    another benchd holds it or the disk refuses.
    """
    limiter = CapacityLimiter(1)
    store = await to_thread.run_sync(partial(LedgerStore, path, head_key), limiter=limiter)
    ledger = SqliteLedger(
        store, limiter=limiter, deadline_s=deadline_s, commit_seconds=commit_seconds
    )
    try:
        yield ledger
    finally:
        await ledger.aclose()
