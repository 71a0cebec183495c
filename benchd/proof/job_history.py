"""Folds a job's records into what is told of it: the ledger is the only truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import check_form
from benchd.domain.handset import BatteryWear, HandsetFacts
from benchd.domain.ids import Evidence, JobId, SlotName
from benchd.domain.job import DISPOSITION_OF, Disposition, Outcome, Reason, StageName
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.proof.evidence.storage_evidence import OverwriteEvidence, ReadBackEvidence
from benchd.proof.job_records import StageRecord, refuse_newer, stage_records
from benchd.proof.ports import CertificateIssuer
from benchd.proof.record_fields import RecordReader


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHistory:
    """One job as its records tell it; None where nothing was recorded."""

    job: JobId
    slot: SlotName
    occupancy: int
    recipe: str
    opened_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    disposition: Disposition | None
    reason: Reason | None
    detail: str
    handset: Evidence | None
    bytes_written: int | None
    coverage: float | None
    attempts: tuple[StageRecord, ...]
    """Of its stages, those that have ended; none of a job with a record that can't be read."""
    decisions: tuple[Evidence, ...]
    envelope: bytes | None
    dossier: str | None
    asset: Evidence | None
    """The asset that its handset was taken for: `lot`, `tag`, and by what."""
    battery: BatteryWear
    """How worn its battery is, as far as its handset has told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a job ended by its records, with the certificate that vouches for it."""

    at: datetime
    outcome: Outcome
    disposition: Disposition
    reason: Reason | None
    detail: str
    envelope: bytes | None
    dossier: str | None


def ending_of(records: Sequence[StoredEntry], issuer: CertificateIssuer) -> Ending | None:
    """How these records of one job say that it ended; None where they don't.

    A record that says SELLABLE is believed only with a certificate that the rack itself has
    signed for these very records: whoever can write the file can write any word in it. What a newer
    release has written, and this one can't read, is a broken record.
    """
    end = next((r.entry for r in records if r.entry.kind is EntryKind.JOB_ENDED), None)
    if end is None:
        return None
    try:
        for record in records:
            refuse_newer(record)
        told = ending_by_its_words(end)
        if told.disposition is Disposition.SELLABLE:
            for attempt in stage_records(records):
                check_form(attempt.stage, attempt.form)
    except CertificateGap as gap:
        return Ending(
            at=end.at,
            outcome=Outcome.FAILED,
            disposition=DISPOSITION_OF[Reason.RECORD_BROKEN],
            reason=Reason.RECORD_BROKEN,
            detail=str(gap),
            envelope=None,
            dossier=None,
        )
    if told.envelope is None and told.disposition is not Disposition.SELLABLE:
        return told
    certified = (told.outcome, told.disposition, told.reason) == (
        Outcome.PASSED,
        Disposition.SELLABLE,
        None,
    )
    if certified and told.envelope is not None and end.job is not None:
        before = [record for record in records if record.entry is not end]
        if issuer.vouches(end.job, told.envelope, before):
            return told
    return replace(
        told,
        outcome=Outcome.FAILED,
        disposition=DISPOSITION_OF[Reason.RECORD_BROKEN],
        reason=Reason.RECORD_BROKEN,
        detail="the record of its end isn't what this rack has signed",
        envelope=None,
    )


def ending_by_its_words(end: Entry) -> Ending:
    """What the record of a job's end says, not yet believed."""
    reader = RecordReader(end.data, end.kind)
    envelope = reader.optional_text("certificate")
    return Ending(
        at=end.at,
        outcome=reader.word("outcome", Outcome),
        disposition=reader.word("disposition", Disposition),
        reason=reader.optional_word("reason", Reason),
        detail=reader.optional_text("detail") or "",
        envelope=envelope.encode("utf-8", "replace") if envelope else None,
        dossier=reader.optional_text("dossier"),
    )


def fold_job(records: Sequence[StoredEntry], issuer: CertificateIssuer) -> JobHistory:
    """The history that these records of one job tell; the first has to be JOB_OPENED.

    A newer release may have put others before it, which make it a broken one.
    """
    known = (record.entry for record in records if record.entry.kind.is_known)
    opened = next(known, records[0].entry)
    if opened.kind is not EntryKind.JOB_OPENED or not opened.job or not opened.slot:
        message = "a job's first record is job_opened"
        raise ValueError(message)
    attempts = _attempts(records)
    passed = {a.stage: a for a in attempts if a.outcome is Outcome.PASSED}
    inspect = passed.get(StageName.INSPECT)
    end = ending_of(records, issuer)
    return JobHistory(
        job=opened.job,
        slot=opened.slot,
        occupancy=opened.occupancy or 0,
        recipe=RecordReader(opened.data, "job_opened").text("recipe"),
        opened_at=opened.at,
        ended_at=end.at if end else None,
        outcome=end.outcome if end else None,
        disposition=end.disposition if end else None,
        reason=end.reason if end else None,
        detail=end.detail if end else "",
        handset=inspect.stored if inspect else None,
        bytes_written=_bytes_written(passed.get(StageName.OVERWRITE)),
        coverage=_coverage(passed.get(StageName.READ_BACK)),
        attempts=attempts,
        decisions=tuple(r.entry.data for r in records if r.entry.kind is EntryKind.DECISION),
        envelope=end.envelope if end else None,
        dossier=end.dossier if end else None,
        asset=_asset(records),
        battery=_battery(inspect),
    )


def _attempts(records: Sequence[StoredEntry]) -> tuple[StageRecord, ...]:
    """None of a job with a record that can't be read: its end says so."""
    try:
        return tuple(stage_records(records))
    except CertificateGap:
        return ()


def _asset(records: Sequence[StoredEntry]) -> Evidence | None:
    bound = [r.entry.data for r in records if r.entry.kind is EntryKind.ASSET_BOUND]
    if not bound:
        return None
    return {key: bound[-1].get(key) for key in ("lot", "tag", "bound_by", "differs")}


def _battery(inspect: StageRecord | None) -> BatteryWear:
    evidence = inspect.shown() if inspect else None
    return evidence.battery_wear if isinstance(evidence, HandsetFacts) else BatteryWear()


def _bytes_written(overwrite: StageRecord | None) -> int | None:
    evidence = overwrite.shown() if overwrite else None
    return evidence.bytes_written if isinstance(evidence, OverwriteEvidence) else None


def _coverage(read_back: StageRecord | None) -> float | None:
    evidence = read_back.shown() if read_back else None
    return evidence.coverage if isinstance(evidence, ReadBackEvidence) else None
