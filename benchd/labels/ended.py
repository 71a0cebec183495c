"""Which jobs have just ended, heard from the ledger without ever holding it up."""

from __future__ import annotations

from collections import deque

from benchd.wakeup import Bell
from benchd.words.ids import JobId
from benchd.words.record import Entry, EntryKind

MOST_KEPT = 256


class EndedJobs:
    """A subscriber of the ledger: keeps the jobs' names until somebody asks for them."""

    def __init__(self) -> None:
        self._jobs: deque[JobId] = deque(maxlen=MOST_KEPT)
        self._bell = Bell()

    def stored(self, entry: Entry) -> None:
        """A record is on disk."""
        if entry.kind is EntryKind.JOB_ENDED and entry.job is not None:
            self._jobs.append(entry.job)
            self._bell.ring()

    def recalled(self, entry: Entry) -> None:
        """A former daemon's job that is about to be ended, which is told as any other end."""
        del entry

    def forget(self) -> None:
        """Print nothing for what has ended until now: those handsets are run again."""
        self._jobs.clear()

    async def next(self) -> JobId:
        """Wait for the next job that ends."""
        while not self._jobs:
            await self._bell.wait()
        return self._jobs.popleft()
