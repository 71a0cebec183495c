"""Whose labels are to be printed, heard from the ledger without ever holding it up."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from benchd.domain.hook import NextAction, direction_in
from benchd.domain.ids import JobId
from benchd.domain.record import Entry, EntryKind
from benchd.domain.wakeup import Bell
from benchd.ledger.held_handsets import Held

MOST_KEPT = 256


class Why(Enum):
    """Why a label is to be printed."""

    ENDED = auto()
    ASKED_FOR = auto()
    HELD = auto()
    """One that calls it sellable may be out already."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job whose label is to be printed."""

    job: JobId
    why: Why


class WantedLabels:
    """A subscriber of the ledger: keeps the jobs' names until somebody asks for them."""

    def __init__(self, held: Held) -> None:
        """`held` has to hear of a hold before this does."""
        self._held = held
        self._wanted: deque[Wanted] = deque(maxlen=MOST_KEPT)
        self._bell = Bell()

    def stored(self, entry: Entry) -> None:
        """A record is on disk."""
        if entry.kind is EntryKind.JOB_ENDED and entry.job is not None:
            self._put(Wanted(entry.job, Why.ENDED))
        if entry.kind is EntryKind.HOOK_ANSWERED:
            told = direction_in(entry.data)
            if told is None or not told.counts:
                return
            if told.action is NextAction.REPRINT:
                self._put(Wanted(told.job, Why.ASKED_FOR))
            # Of several holds only the first changes what a label says.
            if told.action is NextAction.HOLD and self._held.hold(told.job) == told:
                self._put(Wanted(told.job, Why.HELD))

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
