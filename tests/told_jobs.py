"""Which jobs tell something of their handset, for ledgers in memory: as the real one finds them."""

from __future__ import annotations

from collections.abc import Sequence

from benchd.domain.handset import Trait
from benchd.domain.ids import JobId
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.disposal_fold import dooms
from benchd.proof.record_subject import tells


def handset_jobs(
    records: Sequence[StoredEntry], trait: Trait, value: str, limit: int
) -> list[JobId]:
    """The newest that tell it, and all that doom their handset or have drawn it."""
    told = {record.entry.job for record in records if tells(record.entry, trait, value)}
    kept = {r.entry.job for r in records if r.entry.kind is EntryKind.RECHECK_DRAWN}
    kept |= {record.entry.job for record in records if dooms(record.entry)}
    opened = [r.entry.job for r in records if r.entry.kind is EntryKind.JOB_OPENED]
    jobs = [job for job in reversed(opened) if job in told]
    return [job for at, job in enumerate(jobs) if job is not None and (at < limit or job in kept)]
