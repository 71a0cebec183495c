"""What a job's records say of asking the other racks: it can only stand against a certificate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from benchd.domain.evidence_json import from_json
from benchd.domain.job import StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.evidence.other_racks_evidence import OtherRacksRecord


def other_racks_gaps(records: Sequence[StoredEntry]) -> Iterator[str]:
    """Every answer on record that has the handset held; raises CertificateGap."""
    for _, told in _asked(records):
        for finding in told.findings:
            yield f"other racks: {finding.kind} (rack {finding.rack}, job {finding.job})"


def last_asked(records: Sequence[StoredEntry], stage: StageName) -> datetime | None:
    """When the centre last answered in a stage of this job; None where it didn't the last time."""
    in_stage = [(at, told) for at, told in _asked(records) if told.stage == stage]
    return in_stage[-1][0] if in_stage and in_stage[-1][1].asked else None


def last_lease(records: Sequence[StoredEntry]) -> int | None:
    """The number of the last lease that this job got; raises CertificateGap."""
    leases = [told.lease.number for _, told in _asked(records) if told.lease is not None]
    return leases[-1] if leases else None


def _asked(records: Sequence[StoredEntry]) -> Iterator[tuple[datetime, OtherRacksRecord]]:
    for record in records:
        if record.entry.kind is EntryKind.OTHER_RACKS_ASKED:
            yield (
                record.entry.at,
                from_json(OtherRacksRecord, record.entry.data, record.entry.kind),
            )
