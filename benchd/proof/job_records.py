"""A job's records as the proof reads them: attempts of stages, and people's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import FORM, check_form, from_json
from benchd.domain.ids import ANDROID, DeviceKind, Evidence
from benchd.domain.job import Outcome, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.evidence.job_evidence import ReturnEvidence, read_evidence
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.record_fields import RecordReader

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """One ended attempt of one stage, as the ledger tells it."""

    stage: StageName
    outcome: Outcome
    started_sequence: int
    ended_sequence: int
    started_at: datetime
    ended_at: datetime
    skipped_because: str | None
    stored: Evidence
    """Its evidence as it stands in the record, not looked into."""
    form: int
    stored_return: Evidence | None = None
    """What was seen of a handset that had come back, not looked into."""

    def evidence(self) -> object | None:
        """What it saw, as its type; None where it saw nothing. Raises CertificateGap."""
        return read_evidence(self.stage, self.stored, self.form) if self.stored else None

    def evidence_as(self, kind: type[T]) -> T:
        """The same as the type that a kind of device brings along; raises CertificateGap."""
        check_form(self.stage, self.form)
        return from_json(kind, self.stored, self.stage, exact=self.form == FORM)

    def came_back(self) -> ReturnEvidence | None:
        """What was seen of a handset that had come back; raises CertificateGap."""
        place = f"{self.stage}: came_back"
        return (
            None
            if self.stored_return is None
            else from_json(ReturnEvidence, self.stored_return, place)
        )

    def shown(self) -> object | None:
        """The same for showing: nothing is told of evidence that isn't of its form."""
        try:
            return self.evidence()
        except CertificateGap:
            return None


def refuse_newer(record: StoredEntry) -> None:
    """Raise CertificateGap for a kind of record that only a newer release knows."""
    kind = record.entry.kind
    if not kind.is_known:
        gap = f"record {record.sequence}: this release doesn't know what {kind.value} tells"
        raise CertificateGap((gap,))


def refuse_unread_form(record: StoredEntry) -> None:
    """Raise CertificateGap for an attempt whose evidence has a form that this release doesn't read.

    Whoever asks what a handset's other jobs tell of it may not pass one over: it may owe something.
    """
    if record.entry.kind is EntryKind.STAGE_ENDED:
        reader = RecordReader(record.entry.data, "stage_ended")
        check_form(reader.text("stage"), reader.form())


def kind_gaps(kind: DeviceKind, records: Sequence[StoredEntry]) -> list[str]:
    """What tells that a job's records aren't all of a device of this kind."""
    gaps: list[str] = []
    for record in records:
        if record.entry.kind in (EntryKind.JOB_OPENED, EntryKind.ATTACHMENT_CHANGED):
            told = RecordReader(record.entry.data, record.entry.kind).optional_text("kind")
            found = ANDROID if told is None else told
            if found != kind:
                gaps.append(f"{record.entry.kind}: a device of the kind {found!r}, not {kind!r}")
    return gaps


def stage_records(records: Sequence[StoredEntry]) -> list[StageRecord]:
    """Every ended attempt in order, each paired with the start that precedes it.

    Raises CertificateGap where one of the records can't be read: nobody knows what it says.
    """
    ended: list[StageRecord] = []
    started: StoredEntry | None = None
    for record in records:
        refuse_newer(record)
        if record.entry.kind is EntryKind.STAGE_STARTED:
            started = record
        elif record.entry.kind is EntryKind.STAGE_ENDED and started is not None:
            reader = RecordReader(record.entry.data, "stage_ended")
            ended.append(
                StageRecord(
                    stage=reader.word("stage", StageName),
                    outcome=reader.word("outcome", Outcome),
                    started_sequence=started.sequence,
                    ended_sequence=record.sequence,
                    started_at=started.entry.at,
                    ended_at=record.entry.at,
                    skipped_because=reader.optional_text("because"),
                    stored=reader.mapping("evidence"),
                    form=reader.form(),
                    stored_return=reader.optional_mapping("came_back"),
                )
            )
            started = None
    return ended


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord(DecisionEvidence):
    """An answer as its own record holds it: also from where it came."""

    via: Mapping[str, str]


def decisions(records: Sequence[StoredEntry]) -> list[DecisionRecord]:
    """Every person's answer in these records, in order."""
    return [
        from_json(DecisionRecord, record.entry.data, "decision")
        for record in records
        if record.entry.kind is EntryKind.DECISION
    ]
