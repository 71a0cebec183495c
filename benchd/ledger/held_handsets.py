"""What other systems have asked for and what counts of it: held handsets, named bins.

A fact of the ledger, whatever the configuration and the hooks' own file say now. Whoever has to
know whether a handset may be sold asks here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import anyio

from benchd.domain.hook import Direction, NextAction, direction_in
from benchd.domain.ids import JobId
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot import DirectedView
from benchd.ledger.ledger_queries import LedgerReads

MOST_BINS: Final = 4096
"""Jobs whose bin is kept: those still in their slots are among the newest. A hold is never lost."""
PIECE_RECORDS: Final = 500


class Held:
    """A subscriber of the ledger; `recall` before anything is shown."""

    def __init__(self) -> None:
        self.turn = anyio.Lock()
        """For judging an answer and keeping it, so that two hooks' answers know of each other."""
        self._holds: dict[JobId, Direction] = {}
        self._bins: dict[JobId, Direction] = {}
        self._answered: defaultdict[str, set[int]] = defaultdict(set)

    async def recall(self, ledger: LedgerReads) -> None:
        """Read all that is on record. Raises LedgerFault."""
        upto = 0
        while records := await ledger.of_kind(EntryKind.HOOK_ANSWERED, upto, PIECE_RECORDS):
            for record in records:
                self.stored(record.entry)
            upto = records[-1].sequence

    def stored(self, entry: Entry) -> None:
        """A record is on disk."""
        if entry.kind is EntryKind.HOOK_ANSWERED:
            told = direction_in(entry.data)
            if told is not None:
                self.take(told)

    def recalled(self, entry: Entry) -> None:
        """A former daemon's job that is still open: what was asked for it has been read."""
        del entry

    def take(self, told: Direction) -> None:
        """Of two answers to one event the first counts, unless the second holds."""
        first = not self.has_answered(told.hook, told.sequence)
        self._answered[told.hook].add(told.sequence)
        if not told.counts:
            return
        if told.action is NextAction.HOLD and told.job not in self._holds:
            self._holds[told.job] = told
            # A bin that was named until now may be one of those that are sold from.
            self._bins.pop(told.job, None)
        elif told.action is NextAction.ROUTE and first:
            self._bins.pop(told.job, None)
            self._bins[told.job] = told
            if len(self._bins) > MOST_BINS:
                del self._bins[next(iter(self._bins))]

    def has_answered(self, hook: str, sequence: int) -> bool:
        """Whether an answer to the event of this record is on record."""
        return sequence in self._answered.get(hook, ())

    def hold(self, job: JobId) -> Direction | None:
        """The answer that holds a job's handset back: the first that did."""
        return self._holds.get(job)

    def holder(self, job: JobId) -> str | None:
        """The hook whose answer that is."""
        hold = self.hold(job)
        return None if hold is None else hold.hook

    def counting(self, job: JobId) -> Sequence[Direction]:
        """The hold and the bin that count, as far as there are any."""
        return [told for told in (self.hold(job), self._bins.get(job)) if told is not None]

    def directed(self, job: JobId) -> DirectedView | None:
        """The same as a slot shows it."""
        place = self._bins.get(job)
        if place is None and job not in self._holds:
            return None
        return DirectedView(held_by=self.holder(job), place=None if place is None else place.bin)
