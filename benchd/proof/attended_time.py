"""How long a job has waited for people, by its records alone: a question that is open is a wait.

Each function gives what is to be kept until the next record, so that a reader can stop anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from benchd.domain.errors import CertificateGap
from benchd.domain.job import StageName
from benchd.domain.record import Entry, EntryKind
from benchd.proof.evidence.chip_evidence import ClearEvidence
from benchd.proof.evidence.handset_evidence import InitialiseEvidence
from benchd.proof.evidence.job_evidence import read_evidence
from benchd.proof.evidence.reset_evidence import FinalResetEvidence
from benchd.proof.record_fields import RecordReader

_LEAVES = (StageName.INITIALISE, StageName.FINAL_RESET, StageName.FELICA_CLEAR)
"""Stages in which a handset leaves its port because somebody, or the stage, has reset it."""


Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWaits:
    """The questions of a running stage, and what else it has seen so far."""

    stage: StageName | None = None
    began_at: datetime | None = None
    open: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    """Gates that nobody has answered, and since when they are asked."""
    closed: tuple[Span, ...] = ()
    """From a question to its answer, or until it was asked again."""
    returned: tuple[datetime, ...] = ()
    """When the handset came back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """A stretch in which a stage has waited for people."""

    stage: StageName
    time: timedelta


def after(waits: OpenWaits, entry: Entry) -> tuple[OpenWaits, tuple[Waited, ...]]:
    """What is open after the next record of a job, and the waits of an attempt that has ended.

    Raises CertificateGap, ValueError for a record that isn't of its form.
    """
    told = RecordReader(entry.data, entry.kind)
    match entry.kind:
        case EntryKind.STAGE_STARTED:
            stage = told.word("stage", StageName)
            return replace(waits, stage=stage, began_at=entry.at, returned=()), ()
        case EntryKind.ATTACHMENT_CHANGED:
            return replace(waits, returned=(*waits.returned, entry.at)), ()
        case EntryKind.QUESTION_ASKED:
            gate = told.text("gate")
            answered = _answered(waits, gate, entry.at)
            return replace(answered, open={**answered.open, gate: entry.at}), ()
        case EntryKind.DECISION:
            return _answered(waits, told.text("gate"), entry.at), ()
        case EntryKind.STAGE_ENDED | EntryKind.JOB_ENDED:
            return OpenWaits(), _ended(waits, entry, told)
        case _:
            return waits, ()


def whole_time(spans: Iterable[Span]) -> timedelta:
    """The time that spans take together; where they overlap it counts once."""
    return sum((end - start for start, end in _apart(spans)), timedelta())


def left_at(
    began_at: datetime, returned: Iterable[datetime], absent_s: float | None
) -> datetime | None:
    """When a handset left its port in an attempt; None where no return of it is so late."""
    if not absent_s:
        return None
    gone = timedelta(seconds=absent_s)
    return next((back - gone for back in returned if back - gone >= began_at), None)


def absent_s(stage: StageName, told: RecordReader) -> float | None:
    """For how long the handset was away in an attempt that ended, as its evidence tells."""
    if stage not in _LEAVES:
        return None
    try:
        stored = told.mapping("evidence")
        seen = read_evidence(stage, stored, told.form()) if stored else None
    except CertificateGap:
        return None
    match seen:
        case InitialiseEvidence() | FinalResetEvidence() | ClearEvidence() as left:
            return left.absent_s
        case _:
            return None


def _answered(waits: OpenWaits, gate: str, at: datetime) -> OpenWaits:
    if gate not in waits.open:
        return waits
    still = {other: since for other, since in waits.open.items() if other != gate}
    return replace(waits, open=still, closed=(*waits.closed, (waits.open[gate], at)))


def _ended(waits: OpenWaits, entry: Entry, told: RecordReader) -> tuple[Waited, ...]:
    """Where the port told sooner than anybody, that was the answer."""
    stage = waits.stage
    if stage is None:
        return ()
    away_s = absent_s(stage, told) if entry.kind is EntryKind.STAGE_ENDED else None
    left = left_at(waits.began_at or entry.at, waits.returned, away_s)
    unanswered = [(since, left or entry.at) for since in waits.open.values()]
    spans = _apart([*waits.closed, *unanswered])
    return tuple(Waited(stage=stage, time=end - start) for start, end in spans)


def _apart(spans: Iterable[Span]) -> Iterator[Span]:
    """The same time in spans that don't overlap; one that ends before it begins is none."""
    reached: datetime | None = None
    begun: datetime | None = None
    for start, end in sorted(spans):
        if reached is not None and begun is not None and start > reached:
            yield begun, reached
            begun = reached = None
        if end >= start:
            begun = start if begun is None else begun
            reached = end if reached is None else max(reached, end)
    if begun is not None and reached is not None:
        yield begun, reached
