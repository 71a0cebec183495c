"""What people have said of how handsets look and work: their grades, all of them and the newest.

A grade is shown beside a certificate. It has no job of its own and is no record of intake, so that
no proof, no gate and no certificate reads it.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from benchd.domain.evidence_json import from_json
from benchd.domain.evidence_values import Said
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.evidence.intake_evidence import Who


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedRecord:
    """`handset_graded`: what a person says of a handset; a newer one counts in its place."""

    tag: str | None
    """The asset; None where its handset was graded by a job that has none."""
    lot: str | None
    job: str | None
    """The job whose handset it is; of an asset the newest one until then."""
    code: Said
    ja: Said
    """What the dealer's list called it as it was given."""
    en: Said
    note: str
    by: Who


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A grade that was given, and when."""

    sequence: int
    at: datetime
    told: GradedRecord


def graded_in(record: StoredEntry) -> Graded:
    """What such a record says; raises CertificateGap."""
    entry = record.entry
    told = from_json(GradedRecord, entry.data, entry.kind)
    return Graded(sequence=record.sequence, at=entry.at, told=told)


class GradeBook:
    """All grades that were given, by the asset and the job that they were given to."""

    def __init__(self) -> None:
        self._of_tag = defaultdict[str, list[Graded]](list)
        self._of_job = defaultdict[str, list[Graded]](list)

    def take(self, record: StoredEntry) -> None:
        """Follow one record; one of another kind changes nothing. Raises CertificateGap."""
        if record.entry.kind is not EntryKind.HANDSET_GRADED:
            return
        graded = graded_in(record)
        if graded.told.tag is not None:
            insort(self._of_tag[graded.told.tag], graded, key=_number)
        if graded.told.job is not None:
            insort(self._of_job[graded.told.job], graded, key=_number)

    def given(
        self,
        *,
        jobs: Iterable[str] = (),
        tags: Iterable[str | None] = (),
        upto: int | None = None,
    ) -> Sequence[Graded]:
        """All that these jobs' handsets and these assets were given, the newest last.

        `upto` is the number of the last record that is looked at.
        """
        found = [each for job in jobs for each in self._of_job.get(job, ())]
        found += [each for tag in tags if tag is not None for each in self._of_tag.get(tag, ())]
        unique = {each.sequence: each for each in found if upto is None or each.sequence <= upto}
        return [unique[sequence] for sequence in sorted(unique)]

    def newest(
        self,
        *,
        jobs: Iterable[str] = (),
        tags: Iterable[str | None] = (),
        upto: int | None = None,
    ) -> Graded | None:
        """The one of those that counts."""
        given = self.given(jobs=jobs, tags=tags, upto=upto)
        return given[-1] if given else None


def _number(graded: Graded) -> int:
    return graded.sequence
