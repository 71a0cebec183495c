"""What of a handset is later than its line in lot papers, where that isn't listed with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchd.errors import RecordsUnavailable
from benchd.intake.since import HandsetSince
from benchd.ports import Ledger
from benchd.proof.intake_book import IntakeBook
from benchd.words.ids import JobId
from benchd.words.intake import Tag
from benchd.words.lot_papers import Listed, ListedJob
from benchd.words.record import StoredEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """None where there is no such thing."""

    job: JobId | None = None
    """The newest job of the handset, which isn't listed as one of it."""
    again_as: Tag | None = None
    """The other label under which it came in again."""


class LaterThings:
    """Of what was listed, as of the list's record: by the read model, and again by the ledger."""

    def __init__(self, listed: Listed, ledger: Ledger, book: IntakeBook) -> None:
        self._handset_of: Mapping[JobId, int] = {
            each.line.job: each.line.handset for each in listed.jobs
        }
        self._since = HandsetSince(ledger, book, listed.upto.sequence)

    def listed(self, job: ListedJob) -> Later:
        """By the read model alone: enough for what isn't called sellable anyway."""
        return Later(job=self._elsewhere(job.newest_job, job))

    async def certified(self, job: ListedJob, records: Sequence[StoredEntry]) -> Later:
        """Of a certified handset; `records` are its job's.

        Raises LedgerFault, and RecordsUnavailable where the list takes one handset for two.
        """
        since = await self._since.of(job.line.job, records)
        for other in since.same:
            if self._handset_of.get(other, job.line.handset) != job.line.handset:
                message = f"the file of records takes jobs {job.line.job} and {other} for two"
                raise RecordsUnavailable(message)
        newest = since.jobs[-1] if since.jobs else None
        later = self.listed(job).job or self._elsewhere(newest, job)
        return Later(job=later, again_as=since.again_as)

    def _elsewhere(self, newest: JobId | None, job: ListedJob) -> JobId | None:
        """The newest, unless it stands in the list with the handset of this job."""
        there = newest is None or self._handset_of.get(newest) == job.line.handset
        return None if there else newest
