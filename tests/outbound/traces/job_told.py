"""One job as a ledger tells it, minute by minute."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from benchd.domain.ids import Evidence, JobId, SlotName
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.outbound.traces.otlp import Source
from benchd.outbound.traces.span import Span, Trace
from benchd.outbound.traces.trace_from_records import trace_of
from tests import recorded
from tests.outbound.hooks.hook_rig import FakeIssuer

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
JOB = JobId("20261124-0123456789")
SOURCE = Source(ledger="ab" * 32, version="1.2")


@dataclass
class JobTold:
    """Its records; each is told so many minutes after the job was opened."""

    records: list[StoredEntry] = field(default_factory=list)
    job: JobId = JOB

    @classmethod
    def begun(cls, stage: str = "", minute: float = 0) -> JobTold:
        """One that was opened, and whose stage has begun."""
        told = cls()
        told.opened()
        if stage:
            told.started(stage, minute)
        return told

    def tell(self, kind: EntryKind, minute: float, **data: object) -> None:
        entry = Entry(
            kind=kind,
            at=START + timedelta(minutes=minute),
            slot=SlotName("A1"),
            occupancy=7,
            job=self.job,
            data=data,  # type: ignore[arg-type]
        )
        number = 101 + len(self.records)
        self.records.append(StoredEntry(sequence=number, entry=entry, hash_hex=f"{number:064x}"))

    def opened(self, usb_serial: str = "R5CT10ABCDE") -> None:
        self.tell(EntryKind.JOB_OPENED, 0, recipe="overwrite", usb_serial=usb_serial)

    def started(self, stage: str, minute: float, attempt: int = 1) -> None:
        told = {"stage": stage, "attempt": attempt, "destructive": False}
        self.tell(EntryKind.STAGE_STARTED, minute, **told)

    def done(
        self, stage: str, minute: float, evidence: Evidence | None = None, **more: str
    ) -> None:
        told = recorded.stage_ended(stage, evidence or {}, **more)
        self.tell(EntryKind.STAGE_ENDED, minute, **told)

    def asked(self, gate: str, minute: float) -> None:
        self.tell(EntryKind.QUESTION_ASKED, minute, gate=gate, facts={"serial": "R5CT10ABCDE"})

    def answered(self, gate: str, minute: float, *, approved: bool = True) -> None:
        told = {"gate": gate, "approved": approved, "operator": "佐藤", "person": "sato"}
        self.tell(EntryKind.DECISION, minute, **told, note="356938035643809", shown_by="pin")

    def ended(self, minute: float, outcome: str = "failed", **more: str | None) -> None:
        told = {"disposition": "hold", "reason": "coverage_too_low", "certificate": None, **more}
        self.tell(EntryKind.JOB_ENDED, minute, outcome=outcome, detail="R5CT10ABCDE is bad", **told)

    def trace(self) -> Trace:
        made = trace_of(self.records, FakeIssuer())  # type: ignore[arg-type]
        assert made is not None
        return made


def minutes(span: Span) -> tuple[float, float]:
    """When it began and ended, in minutes of the job."""
    return tuple((at - START).total_seconds() / 60 for at in (span.start, span.end))  # type: ignore[return-value]
