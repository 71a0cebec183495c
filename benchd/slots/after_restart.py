"""What a former daemon knew of a handset that never left its port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchd.domain.chip import ChipOwners
from benchd.domain.ids import JobId
from benchd.domain.job import LEFT_IN_CHIP, JobEnd, Outcome, Reason
from benchd.domain.port import Attached
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.proof.job_history import ending_of
from benchd.proof.job_records import stage_records
from benchd.proof.ports import CertificateIssuer
from benchd.proof.record_fields import RecordReader

SHOWN_AGAIN = (Outcome.PASSED, Outcome.FAILED)
"""Ends that still stand after a restart; an interrupted or aborted job is run again."""

TELL_OF_THE_PORT = (
    EntryKind.OCCUPANCY_OPENED,
    EntryKind.JOB_OPENED,
    EntryKind.ATTACHMENT_CHANGED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Continued:
    """An occupancy that a former daemon opened and whose handset never left the port."""

    job: JobId | None = None
    recipe: str | None = None
    end: JobEnd | None = None
    """The end that stands in the ledger; None if the job has to be run again."""


def continued_from(
    before: Sequence[StoredEntry], attached: Attached, issuer: CertificateIssuer
) -> Continued | None:
    """What a former daemon knew of this handset, if the port proves that it never left."""
    if not before or before[-1].entry.kind is EntryKind.OCCUPANCY_CLOSED:
        return None
    if _attachment_of(before) != attached.attachment:
        return None
    opened = [r.entry for r in before if r.entry.kind is EntryKind.JOB_OPENED]
    if not opened:
        return Continued()
    job = opened[-1].job
    of_job = [record for record in before if record.entry.job == job]
    ending = ending_of(of_job, issuer)
    if ending is None or ending.outcome not in SHOWN_AGAIN:
        return Continued()
    if ending.envelope is not None and _attachment_of(of_job) != attached.attachment:
        # Only the job's own records are under its signature: by those another handset lay there.
        return None
    return Continued(
        job=job,
        recipe=RecordReader(opened[-1].data, "job_opened").text("recipe"),
        end=JobEnd(
            outcome=ending.outcome,
            disposition=ending.disposition,
            reason=ending.reason,
            owners=_owners_left(before, job, ending.reason),
            dossier=ending.dossier,
        ),
    )


def _attachment_of(records: Sequence[StoredEntry]) -> str | None:
    """The last attachment that these records tell of."""
    told = [record.entry for record in records if record.entry.kind in TELL_OF_THE_PORT]
    named = [RecordReader(entry.data, entry.kind).optional_text("attachment") for entry in told]
    return next((attachment for attachment in reversed(named) if attachment), None)


def _owners_left(
    before: Sequence[StoredEntry], job: JobId | None, reason: Reason | None
) -> ChipOwners | None:
    """Whose services the job's last scan that saw any has found, where they kept it from sale."""
    if reason not in LEFT_IN_CHIP:
        return None
    attempts = stage_records([record for record in before if record.entry.job == job])
    for attempt in reversed(attempts):
        evidence = attempt.shown()
        if isinstance(evidence, ChipEvidence) and evidence.owners is not None:
            return evidence.owners
    return None
