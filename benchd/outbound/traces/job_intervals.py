"""The stretches of time inside one job, as its records open and close them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from benchd.domain.errors import CertificateGap
from benchd.domain.ids import JobId
from benchd.domain.job import Outcome, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.outbound.traces.span import Span, SpanEvent, Value, span_id_of
from benchd.proof.attended_time import absent_s, left_at
from benchd.proof.evidence.job_evidence import read_evidence
from benchd.proof.evidence.storage_evidence import OverwriteEvidence, ReadBackEvidence
from benchd.proof.record_fields import RecordReader

WAIT: Final = "wait for a person"
AWAY: Final = "wait for the handset"
CUT_SHORT: Final = "cut_short"
"""How an attempt ended that its record doesn't tell: the job's end came first."""
WAIT_ENDED: Final = "benchd.wait.ended"
_FINE: Final = (Outcome.PASSED, Outcome.SKIPPED)


class WaitEnd(StrEnum):
    """How a wait for a person has ended."""

    ANSWERED = "answered"
    ASKED_AGAIN = "asked_again"
    HANDSET_TOLD = "handset_told"
    STAGE_ENDED = "stage_ended"
    JOB_ENDED = "job_ended"


@dataclass(slots=True)
class _Stretch:
    """One span while it is still open."""

    name: str
    span_id: str
    parent_id: str
    start: datetime
    end: datetime | None = None
    attributes: dict[str, Value] = field(default_factory=dict[str, Value])
    events: list[SpanEvent] = field(default_factory=list[SpanEvent])
    error: str | None = None

    def close(self, at: datetime) -> None:
        self.end = max(self.start, at)


class Stretches:
    """Sees each record after a job's opening, in order. Raises CertificateGap, ValueError."""

    def __init__(self, job: JobId, root: str) -> None:
        self._job = job
        self._root = root
        self._all: list[_Stretch] = []
        self._stage: _Stretch | None = None
        self._attempt: _Stretch | None = None
        self._waits: dict[str, _Stretch] = {}
        self._beside: list[SpanEvent] = []
        self._returns: list[tuple[int, datetime]] = []

    @property
    def beside(self) -> tuple[SpanEvent, ...]:
        """What has happened while no stage ran."""
        return tuple(self._beside)

    def see(self, record: StoredEntry) -> None:
        """The next record."""
        told = RecordReader(record.entry.data, record.entry.kind)
        match record.entry.kind:
            case EntryKind.STAGE_STARTED:
                self._begin(record, told.word("stage", StageName), told)
            case EntryKind.STAGE_ENDED if self._attempt is not None:
                self._end(record, self._attempt, told)
            case EntryKind.QUESTION_ASKED:
                self._ask(record, told.text("gate"))
            case EntryKind.DECISION:
                self._answer(record, told.text("gate"))
            case EntryKind.ATTACHMENT_CHANGED:
                self._returns.append((record.sequence, record.entry.at))
                self._happened("handset came back", record.entry.at)
            case EntryKind.RECHECK_DRAWN:
                self._happened("recheck drawn", record.entry.at)
            case _:
                pass

    def ended(self, at: datetime) -> tuple[Span, ...]:
        """All of them, the job having ended: what is open was cut short by that."""
        if self._attempt is not None:
            self._close(self._attempt, at, CUT_SHORT, CUT_SHORT)
        self._end_waits(at, WaitEnd.JOB_ENDED)
        return tuple(
            Span(
                name=each.name,
                span_id=each.span_id,
                parent_id=each.parent_id,
                start=each.start,
                end=each.end or each.start,
                attributes=each.attributes,
                events=tuple(each.events),
                error=each.error,
            )
            for each in self._all
        )

    def _begin(self, record: StoredEntry, stage: StageName, told: RecordReader) -> None:
        at, number = record.entry.at, told.optional_whole("attempt") or 1
        if self._attempt is not None:
            self._close(self._attempt, at, CUT_SHORT, CUT_SHORT)
        known = self._stage
        if known is None or known.attributes["benchd.stage"] != stage or number == 1:
            named: dict[str, Value] = {"benchd.stage": stage}
            self._stage = known = self._open(record, f"stage {stage}", "stage", self._root, named)
        counted: dict[str, Value] = {"benchd.stage": stage, "benchd.attempt": number}
        known.attributes["benchd.attempts"] = number
        self._returns.clear()
        self._attempt = self._open(record, f"attempt {stage}", "attempt", known.span_id, counted)

    def _end(self, record: StoredEntry, attempt: _Stretch, told: RecordReader) -> None:
        outcome, because = told.word("outcome", Outcome), told.optional_text("because")
        at, stage = record.entry.at, told.word("stage", StageName)
        attempt.attributes |= _seen(stage, told)
        self._was_away(attempt, absent_s(stage, told))
        self._close(attempt, at, outcome, None if outcome in _FINE else because or outcome)
        for each in (attempt, self._stage):
            if each is not None and because is not None:
                each.attributes["benchd.because"] = because
        self._end_waits(at, WaitEnd.STAGE_ENDED)
        self._attempt = None

    def _close(self, attempt: _Stretch, at: datetime, outcome: str, error: str | None) -> None:
        """The stage ends with its last attempt, and as that did."""
        for each in (attempt, self._stage):
            if each is not None:
                each.close(at)
                each.attributes["benchd.outcome"] = outcome
                for former in ("error.type", "benchd.because"):
                    each.attributes.pop(former, None)
                each.error = error
                if error is not None:
                    each.attributes["error.type"] = error

    def _ask(self, record: StoredEntry, gate: str) -> None:
        if (before := self._waits.pop(gate, None)) is not None:
            _end_wait(before, record.entry.at, WaitEnd.ASKED_AGAIN)
        named: dict[str, Value] = {"benchd.gate": gate, "benchd.answered": False}
        self._waits[gate] = self._open(record, WAIT, "question", self._here, named)

    def _answer(self, record: StoredEntry, gate: str) -> None:
        wait = self._waits.pop(gate, None)
        if wait is None:
            return
        _end_wait(wait, record.entry.at, WaitEnd.ANSWERED)
        approved = record.entry.data.get("approved")
        wait.attributes |= {"benchd.answered": True, "benchd.approved": approved is True}

    def _end_waits(self, at: datetime, how: WaitEnd) -> None:
        """Those that nobody has answered."""
        for wait in self._waits.values():
            _end_wait(wait, at, how)
        self._waits.clear()

    def _was_away(self, attempt: _Stretch, away_s: float | None) -> None:
        """The ledger has when it came back; for how long it was gone, the evidence tells."""
        if not away_s:
            return
        for sequence, back in self._returns:
            if (left := left_at(attempt.start, (back,), away_s)) is not None:
                away = _Stretch(
                    AWAY, span_id_of(self._job, "away", sequence), attempt.span_id, left
                )
                away.close(back)
                self._all.append(away)
                # Where the port told sooner than anybody, that was the answer.
                self._end_waits(away.start, WaitEnd.HANDSET_TOLD)
                return
        attempt.attributes["benchd.away.seconds"] = away_s

    def _happened(self, what: str, at: datetime) -> None:
        event = SpanEvent(name=what, at=at)
        (self._beside if self._attempt is None else self._attempt.events).append(event)

    @property
    def _here(self) -> str:
        return self._root if self._attempt is None else self._attempt.span_id

    def _open(
        self,
        record: StoredEntry,
        name: str,
        kind: str,
        parent: str,
        attributes: Mapping[str, Value],
    ) -> _Stretch:
        opened = _Stretch(
            name=name,
            span_id=span_id_of(self._job, kind, record.sequence),
            parent_id=parent,
            start=record.entry.at,
            attributes=dict(attributes),
        )
        self._all.append(opened)
        return opened


def _evidence(stage: StageName, told: RecordReader) -> object | None:
    """What an attempt saw, as its type; nothing of what isn't of its form."""
    try:
        stored = told.mapping("evidence")
        return read_evidence(stage, stored, told.form()) if stored else None
    except CertificateGap:
        return None


def _end_wait(wait: _Stretch, at: datetime, how: WaitEnd) -> None:
    wait.close(at)
    wait.attributes[WAIT_ENDED] = how


def _seen(stage: StageName, told: RecordReader) -> dict[str, Value]:
    match _evidence(stage, told):
        case OverwriteEvidence() as written:
            return {
                "benchd.written.bytes": written.bytes_written,
                "benchd.resumed.bytes": written.resumed_bytes,
                "benchd.fill_runs": written.fill_runs,
                "benchd.rested.seconds": written.rested_s,
            }
        case ReadBackEvidence() as read:
            return {"benchd.proven.bytes": read.bytes_proven, "benchd.coverage": read.coverage}
        case _:
            return {}
