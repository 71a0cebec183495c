"""Following the ledger: reads on a connection of one's own, and a task that new records wake."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import anyio
from anyio import CapacityLimiter, to_thread

from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.wakeup import Bell
from benchd.ledger.ledger_queries import LedgerReads
from benchd.ledger.ledger_record import Row
from benchd.ledger.open_jobs import RunningJobs
from benchd.ledger.reader import LedgerReader

AFTER_FAULT_S: Final = 5.0
PAUSE_S: Final = 0.005
"""Between two steps: a rack that works goes first."""


class LedgerFeed(LedgerReads):
    """The ledger on a connection and a thread of its own: no append and no job waits for it."""

    def __init__(self, reader: LedgerReader, thread: CapacityLimiter) -> None:
        super().__init__(RunningJobs())
        self._reader = reader
        self.thread = thread
        """For whatever else must not overtake a read."""

    async def select(self, condition: str, *values: str | int) -> list[StoredEntry]:
        """The records that an SQL condition picks. Raises LedgerFault."""
        call = partial(self._reader.select, condition, values)
        return await to_thread.run_sync(call, limiter=self.thread)

    async def rows(self, after: int, up_to: int, *, most: int, most_bytes: int) -> list[Row]:
        """Records as they are stored, after one number and up to another. Raises LedgerFault."""
        call = partial(self._reader.rows, after, up_to, most, most_bytes)
        return await to_thread.run_sync(call, limiter=self.thread)


@asynccontextmanager
async def open_feed(ledger: Path) -> AsyncGenerator[LedgerFeed]:
    """A feed of a ledger that is open already."""
    thread = CapacityLimiter(1)
    reader = await to_thread.run_sync(LedgerReader, ledger, limiter=thread)
    try:
        yield LedgerFeed(reader, thread)
    finally:
        reader.close()


class Follower:
    """Goes through the ledger step by step: a subscriber of it that is woken by new records."""

    def __init__(self, wakes: Collection[EntryKind] = EntryKind) -> None:
        """Only records of the kinds in `wakes` wake it."""
        self._wakes = frozenset(wakes)
        self._bell = Bell()

    def stored(self, entry: Entry) -> None:
        """The ledger has another record; returns at once."""
        if entry.kind in self._wakes:
            self.wake()

    def recalled(self, entry: Entry) -> None:
        """A former daemon's job that is still open: its records are in the ledger."""
        del entry

    def wake(self) -> None:
        """Have the next step taken without waiting any longer; returns at once."""
        self._bell.ring()

    async def run(
        self,
        step: Callable[[], Awaitable[float]],
        failed: Callable[[Exception], Awaitable[None]],
        *,
        faults: tuple[type[Exception], ...],
    ) -> None:
        """Take one step after the other until cancelled.

        A step says for how many seconds there is nothing more to do; a new record ends that rest.
        After one of these faults, which `failed` hears of, the next step comes in a while.
        """
        while True:
            try:
                rest_s = await step()
            except faults as fault:
                await failed(fault)
                await anyio.sleep(AFTER_FAULT_S)
                continue
            await anyio.sleep(PAUSE_S)
            if rest_s > 0:
                with anyio.move_on_after(rest_s):
                    await self._bell.wait()
