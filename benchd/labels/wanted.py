"""Whose labels are to be printed, heard from the ledger without ever holding it up."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from benchd.hooks.replies import direction_in
from benchd.wakeup import Bell
from benchd.words.hook import NextAction
from benchd.words.ids import JobId
from benchd.words.record import Entry, EntryKind

MOST_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A job whose label is to be printed."""

    job: JobId
    again: bool
    """Whether somebody asks for it, and not the end of the job."""


class WantedLabels:
    """A subscriber of the ledger: keeps the jobs' names until somebody asks for them."""

    def __init__(self) -> None:
        self._wanted: deque[Wanted] = deque(maxlen=MOST_KEPT)
        self._bell = Bell()

    def stored(self, entry: Entry) -> None:
        """A record is on disk."""
        if entry.kind is EntryKind.JOB_ENDED and entry.job is not None:
            self._put(Wanted(job=entry.job, again=False))
        if entry.kind is EntryKind.HOOK_ANSWERED:
            told = direction_in(entry.data)
            if told is not None and told.counts and told.action is NextAction.REPRINT:
                self._put(Wanted(job=told.job, again=True))

    def recalled(self, entry: Entry) -> None:
        """A former daemon's job that is about to be ended, which is told as any other end."""
        del entry

    def forget(self) -> None:
        """Print nothing for what has ended until now: those handsets are run again."""
        self._wanted.clear()

    async def next(self) -> Wanted:
        """Wait for the next label that is to be printed."""
        while not self._wanted:
            await self._bell.wait()
        return self._wanted.popleft()

    def _put(self, wanted: Wanted) -> None:
        self._wanted.append(wanted)
        self._bell.ring()
