"""Which handsets are drawn for an independent recheck, and whether an earlier draw is still owed.

A draw follows from its own number; a handset whose earlier job was drawn and never certified is
drawn for certain, so that running it again doesn't get it out of its recheck.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchd.errors import CertificateGap
from benchd.proof.evidence.chip import ChipEvidence
from benchd.proof.evidence.forms import from_json
from benchd.proof.evidence.handset import InspectEvidence
from benchd.proof.evidence.recheck import DRAW_BYTES, DrawRecord, FindDrawnEvidence
from benchd.proof.told import imeis_in, seen_in
from benchd.words.ids import JobId
from benchd.words.imei import is_imei
from benchd.words.job import Disposition, StageName
from benchd.words.record import Entry, EntryKind, StoredEntry

RECHECK_STILL_DUE: Final = "recheck: it was drawn for an independent recheck, which is still due"
"""The one gap that a job has which lacks nothing but its recheck."""
_TELLING: Final = (
    StageName.INSPECT,
    StageName.GATES,
    StageName.FELICA_CHECK,
    StageName.FELICA_RECHECK,
    StageName.FIND_DRAWN,
)


def is_drawn(share: float, token: str, owed: Sequence[str]) -> bool:
    """Whether this number draws a handset of which these draws are owed; of a share of 1, any."""
    return bool(owed) or int(token, 16) < share * (1 << 8 * DRAW_BYTES)


@dataclass(slots=True, kw_only=True)
class JobMet:
    """One job of a handset, as far as the records at hand tell of it."""

    job: JobId
    sequence: int
    """Of the first of its records at hand."""
    imeis: set[str] = field(default_factory=set[str])
    serials: set[str] = field(default_factory=set[str])
    chips: set[str] = field(default_factory=set[str])
    draw: DrawRecord | None = None
    draw_sequence: int = 0
    rechecks: JobId | None = None
    """The drawn job that it has found its handset to be of."""
    found_sequence: int = 0
    said_no: bool = False
    """Whether whoever rechecked it said no."""
    end: Entry | None = None

    @property
    def is_drawn(self) -> bool:
        """Whether it was drawn for a recheck."""
        return self.draw is not None and self.draw.drawn

    @property
    def is_certified(self) -> bool:
        """Whether it has ended with a certificate."""
        return (
            self.end is not None
            and self.end.data.get("disposition") == Disposition.SELLABLE
            and self.end.data.get("certificate") is not None
        )

    @property
    def numbers(self) -> frozenset[str]:
        """What a person may name its handset by: its serial only where it has no IMEI."""
        return frozenset(self.imeis or self.serials)

    def may_be(self, other: JobMet) -> bool:
        """Whether both may be of one handset; identical serials exist, so that one IMEI decides."""
        if self.imeis and other.imeis:
            return not self.imeis.isdisjoint(other.imeis)
        shared = (self.serials & other.serials) | (self.chips & other.chips)
        return bool(shared)

    def take(self, record: StoredEntry) -> None:
        """Learn from one more of its records; raises CertificateGap for a draw that isn't one."""
        entry = record.entry
        match entry.kind:
            case EntryKind.RECHECK_DRAWN:
                self.draw = from_json(DrawRecord, entry.data, entry.kind)
                self.draw_sequence = record.sequence
            case EntryKind.JOB_ENDED:
                self.end = self.end or entry
            case EntryKind.STAGE_ENDED:
                self._told(seen_in(entry, _TELLING), record.sequence)
            case _:
                pass

    def _told(self, evidence: object | None, sequence: int) -> None:
        self.imeis |= imeis_in(evidence)
        match evidence:
            case InspectEvidence(serial=str() as serial) if serial:
                self.serials.add(serial)
            case ChipEvidence(chip=str() as chip):
                self.chips.add(chip)
            case FindDrawnEvidence():
                self.rechecks, self.found_sequence = JobId(evidence.drawn_job), sequence
                self.said_no = not evidence.answer.approved
                if not is_imei(evidence.screen_number):
                    self.serials.add(evidence.screen_number)
            case _:
                pass


def jobs_met(records: Iterable[StoredEntry]) -> list[JobMet]:
    """Every job that these records tell of, in the order of the ledger; raises CertificateGap."""
    met: dict[JobId, JobMet] = {}
    for record in records:
        job = record.entry.job
        if job is not None:
            met.setdefault(job, JobMet(job=job, sequence=record.sequence)).take(record)
    return list(met.values())


def job_met(job: JobId, records: Sequence[StoredEntry]) -> JobMet:
    """What all records of one job tell of it and its handset; raises CertificateGap."""
    met = JobMet(job=job, sequence=records[0].sequence if records else 0)
    for record in records:
        met.take(record)
    return met


def owed_by(me: JobMet, others: Iterable[StoredEntry]) -> tuple[JobId, ...]:
    """Earlier jobs of the same handset whose drawn recheck was never passed.

    One that was run again is settled by the recheck of a later one, and by nothing else.
    """
    met = jobs_met(others)
    passed = {job.rechecks for job in met if job.rechecks is not None and job.is_certified}
    drawn = [job for job in met if job.is_drawn and job.job != me.job]
    return tuple(
        job.job
        for job in drawn
        if job.may_be(me)
        and not any(
            later.job in passed
            and later.draw_sequence >= job.draw_sequence
            and (later is job or later.may_be(job))
            for later in drawn
        )
    )


def share_of(records: Sequence[StoredEntry]) -> float:
    """How many of all handsets the recipe of a job draws; none in records older than that."""
    opened = next((r.entry for r in records if r.entry.kind is EntryKind.JOB_OPENED), None)
    share = 0.0 if opened is None else opened.data.get("recheck_share", 0.0)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise CertificateGap(("job_opened: recheck_share isn't a number from 0 to 1",))
    return float(share)


def draw_in(records: Sequence[StoredEntry]) -> DrawRecord | None:
    """The draw among a job's records; raises CertificateGap where there are two, or it is none."""
    draws = [record.entry for record in records if record.entry.kind is EntryKind.RECHECK_DRAWN]
    if len(draws) > 1:
        raise CertificateGap(("recheck_drawn: it was drawn more than once",))
    return from_json(DrawRecord, draws[0].data, draws[0].kind) if draws else None


def draw_gaps(
    job: JobId, records: Sequence[StoredEntry], others: Sequence[StoredEntry]
) -> list[str]:
    """Every gap of a job's draw; `others` are the records of other jobs of its handset."""
    try:
        return _gaps(job, records, others)
    except CertificateGap as gap:
        return list(gap.missing)


def _gaps(job: JobId, records: Sequence[StoredEntry], others: Sequence[StoredEntry]) -> list[str]:
    share, draw, me = share_of(records), draw_in(records), job_met(job, records)
    earlier = others if draw is None else [r for r in others if r.sequence < me.draw_sequence]
    owed = owed_by(me, earlier)
    if draw is None:
        return ["recheck_drawn: nobody has drawn whether it is rechecked"] if share or owed else []
    gaps: list[str] = []
    if me.draw_sequence < _confirmed_at(records):
        gaps.append("recheck_drawn: it was drawn before it was confirmed")
    if draw.share != share:
        gaps.append("recheck_drawn: it was drawn by another share than its recipe's")
    if owed and not draw.owed:
        gaps.append(f"recheck_drawn: the recheck of job {owed[0]} is owed")
    if draw.drawn is not is_drawn(draw.share, draw.token, draw.owed):
        gaps.append("recheck_drawn: its number says otherwise")
    return [*gaps, RECHECK_STILL_DUE] if draw.drawn else gaps


def _confirmed_at(records: Sequence[StoredEntry]) -> int:
    """The record that ended the last attempt to confirm; 0 where there is none."""
    return max(
        (
            record.sequence
            for record in records
            if record.entry.kind is EntryKind.STAGE_ENDED
            and record.entry.data.get("stage") == StageName.CONFIRM
        ),
        default=0,
    )
