"""After a restore: which handsets the ledger has for sale that may be held or doomed by now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchd.domain.errors import LedgerFault
from benchd.domain.hook import Direction, NextAction, direction_in
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.ledger.head import Head
from benchd.ledger.ledger_walk import walk_ledger
from benchd.ledger.witness import Witness
from benchd.proof.disposal_fold import dooms
from benchd.proof.record_subject import imeis_reported
from benchd.signing.key_ring import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAt:
    """Handsets that somebody has to look at before they are sold."""

    jobs: Sequence[JobId]
    """Whose certificates sell them, the newest first."""
    from_former: bool
    """Whether the former ledger was asked: else these are all that are for sale."""


class ForSale:
    """Looks at each record of a ledger in order, and keeps whose handsets it has for sale."""

    def __init__(self) -> None:
        self._imeis: defaultdict[JobId, set[str]] = defaultdict(set)
        self._jobs: dict[JobId, None] = {}
        self._of_imei: defaultdict[str, set[JobId]] = defaultdict(set)
        self._held: set[JobId] = set()

    @property
    def jobs(self) -> list[JobId]:
        """The newest first."""
        return list(reversed(self._jobs))

    def see(self, stored: StoredEntry) -> None:
        """The next record."""
        entry = stored.entry
        told = _direction(entry)
        if told is not None and told.counts and told.action is NextAction.HOLD:
            self._held.add(told.job)
            self._jobs.pop(told.job, None)
        if entry.job is None:
            return
        if imeis := imeis_reported(entry):
            self._imeis[entry.job] |= imeis
        if entry.kind is EntryKind.JOB_ENDED or dooms(entry):
            self._end(entry.job)
        if _sells(entry) and entry.job not in self._held:
            self._sell(entry.job)

    def among(self, lost: Lost) -> list[JobId]:
        """Those that lost records are about, by the job or by an IMEI of its handset."""
        imeis = lost.imeis.union(*(self._imeis.get(job, ()) for job in lost.jobs))
        return [
            job
            for job in self.jobs
            if job in lost.jobs or not imeis.isdisjoint(self._imeis.get(job, ()))
        ]

    def _sell(self, job: JobId) -> None:
        self._jobs[job] = None
        for imei in self._imeis.get(job, ()):
            self._of_imei[imei].add(job)

    def _end(self, job: JobId) -> None:
        """What came of this handset before counts no more."""
        self._jobs.pop(job, None)
        for imei in self._imeis.get(job, ()):
            for earlier in self._of_imei.pop(imei, ()):
                self._jobs.pop(earlier, None)


class Lost:
    """Looks at each record of the former ledger, and keeps whom those are about that are lost."""

    def __init__(self, kept: Head) -> None:
        """Take the last record of the backup: what stands after it is lost."""
        self.goes_on = kept.sequence == 0
        """Whether it has that record too."""
        self.has_gap = False
        self.jobs: set[JobId] = set()
        self.imeis: set[str] = set()
        self._kept = kept

    def see(self, stored: StoredEntry) -> None:
        """The next record."""
        entry = stored.entry
        if stored.sequence <= self._kept.sequence:
            self.goes_on = stored.hash_hex == self._kept.hash.hex()
            return
        if entry.kind is EntryKind.LEDGER_RESTORED:
            # An earlier restore, or this one before it was cut short: not all of it is here.
            self.has_gap = True
        told = _direction(entry)
        self.jobs |= {job for job in (entry.job, told and told.job) if job is not None}
        self.imeis |= imeis_reported(entry)


def look_at(
    for_sale: ForSale, former: Path | None, kept: Head, ring: KeyRing, witnesses: Sequence[Witness]
) -> LookAt:
    """What has to be looked at after a restore up to `kept`.

    The former ledger is believed where it verifies, goes on from there, and nobody knows of
    more: without one, every handset that is for sale may be held or doomed.
    """
    lost = Lost(kept)
    if former is not None:
        with suppress(LedgerFault):
            walk_ledger(former, ring, witnesses, lost.see)
            if lost.goes_on and not lost.has_gap:
                return LookAt(jobs=for_sale.among(lost), from_former=True)
    return LookAt(jobs=for_sale.jobs, from_former=False)


def _direction(entry: Entry) -> Direction | None:
    return direction_in(entry.data) if entry.kind is EntryKind.HOOK_ANSWERED else None


def _sells(entry: Entry) -> bool:
    return (
        entry.kind is EntryKind.JOB_ENDED
        and entry.data.get("disposition") == Disposition.SELLABLE
        and bool(entry.data.get("certificate"))
    )
