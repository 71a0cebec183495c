"""What is on record of a handset, as its label has to say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import anyio

from benchd.domain.errors import LabelRefused, NotFound, RecordsUnavailable
from benchd.domain.ids import JobId
from benchd.domain.ports import Ledger
from benchd.domain.record import EntryKind, StoredEntry
from benchd.ledger.held_handsets import Held
from benchd.ledger.records.records_access import Records
from benchd.papers.labels.label_content import LabelContent, content_of, graded, held_back
from benchd.proof.grade_book import GradeBook
from benchd.proof.job_history import fold_job
from benchd.proof.ports import CertificateIssuer

CAUGHT_UP_S: Final = 10.0
"""For the read model to have a job's last record, which takes it a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSource:
    """Tells the labels of one rack's jobs."""

    ledger: Ledger
    issuer: CertificateIssuer
    files: Records
    held: Held
    grades: GradeBook

    async def of_job(self, job: JobId) -> LabelContent:
        """The label of this job; raises NotFound, LabelRefused."""
        return await self._of_records(job, await self._records(job))

    async def of_newest(self, job: JobId) -> LabelContent:
        """The label of a job that is the last of its handset: no other says what it is now.

        Raises RecordsUnavailable besides, where that can't be told yet.
        """
        records = await self._records(job)
        content = await self._of_records(job, records)
        await self._caught_up(records[-1].sequence)
        jobs = (await self.files.handset(job)).jobs
        newest = jobs[-1]
        if newest.job != job:
            message = f"job {newest.job} of the same handset is newer: only its label counts"
            raise LabelRefused(message)
        # Who has looked at it before it was run again has looked at the same handset.
        of_any = [each.job for each in jobs], [each.tag for each in jobs]
        return graded(content, self.grades.newest(jobs=of_any[0], tags=of_any[1]))

    async def _records(self, job: JobId) -> Sequence[StoredEntry]:
        records = await self.ledger.entries(job)
        if not records or records[0].entry.kind is not EntryKind.JOB_OPENED:
            message = f"there is no job {job}"
            raise NotFound(message)
        return records

    async def _of_records(self, job: JobId, records: Sequence[StoredEntry]) -> LabelContent:
        content = content_of(fold_job(records, self.issuer))
        given = self.grades.newest(jobs=[job], tags=[content.tag])
        return graded(held_back(content, self.held.holder(job)), given)

    async def _caught_up(self, sequence: int) -> None:
        """Who asks at the very end of a job is a moment before the read model."""
        try:
            with anyio.fail_after(CAUGHT_UP_S):
                await self.files.reached(sequence)
        except TimeoutError as error:
            message = "the handset's other jobs can't be told yet: try again"
            raise RecordsUnavailable(message) from error
