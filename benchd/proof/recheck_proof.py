"""What is still missing before an independent recheck vouches for a job that was drawn.

Read from the records of both jobs and of all others of the handset, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchd.domain.authority import ACTION_OF, AUTHORITY
from benchd.domain.errors import CertificateGap
from benchd.domain.handset import ADB_INTERFACE
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.people import ShownBy
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.proof.binding import NUMBER_GATES, screen_number
from benchd.proof.disposal_fold import dooms
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.evidence.recheck_evidence import FindDrawnEvidence, RecheckEvidence
from benchd.proof.gate_waiver_proof import bound_in
from benchd.proof.identity.same_handset import Handsets
from benchd.proof.identity.sighting import Sighting, sighting_of, sightings_in
from benchd.proof.identity.traits import Relation
from benchd.proof.job_records import DecisionRecord, StageRecord, decisions, stage_records
from benchd.proof.recheck_chip import chip_again_gaps
from benchd.proof.recheck_tie_proof import lateness_gaps, tie_gaps
from benchd.proof.separation_of_duties import Toucher

RECHECK_STAGES: Final = (StageName.FIND_DRAWN, StageName.RECHECK, StageName.CERTIFY_DRAWN)
"""A recheck is these, in this order, and nothing else is done to the handset."""
LEFT_OPEN: Final = (
    Reason.UNANSWERED,
    Reason.STAGE_DEADLINE,
    Reason.ATTEMPTS_EXHAUSTED,
    Reason.HANDSET_NOT_BOUND,
)
"""How a recheck may fail without having found anything: another one may still be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnErasure:
    """The job that was drawn: its records up to its end, and who has touched its handset."""

    job: JobId
    records: Sequence[StoredEntry]
    touchers: Sequence[Toucher]
    """Whoever answered, bound or attested in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRecheck:
    """What a recheck without a gap says."""

    job: JobId
    records: Sequence[StoredEntry]
    found: FindDrawnEvidence
    chip: ChipEvidence
    """The look at its chip; silence says nothing for it, and nothing against it."""
    answers: Sequence[DecisionRecord]


def up_to_end(records: Sequence[StoredEntry]) -> list[StoredEntry]:
    """A job's records up to its end, without what has become of its handset since."""
    ends = [r.sequence for r in records if r.entry.kind is EntryKind.JOB_ENDED]
    return [r for r in records if not ends or r.sequence <= ends[0]]


def ends_recheck_due(end: Entry | None) -> bool:
    """Whether a job lacks nothing but its recheck, by its end."""
    return end is not None and (
        end.data.get("outcome"),
        end.data.get("disposition"),
        end.data.get("reason"),
        end.data.get("certificate"),
    ) == (Outcome.PASSED, Disposition.HOLD, Reason.RECHECK_DUE, None)


def no_more_open(
    drawn: Sighting,
    end_sequence: int,
    others: Iterable[StoredEntry],
    job: JobId,
    *,
    found_at: int | None = None,
) -> Iterator[str]:
    """Why a drawn job can't be rechecked any more by this one; nothing where it can.

    `others` are all records at hand of its handset, those of what has become of it among them. Of
    two rechecks at once, each of which has found it by now, the first to have done so goes on.
    """
    known = [record for record in others if record.entry.job != job]
    handsets = Handsets(drawn, sightings_in(known))
    same = {
        seen.job: seen
        for seen in (drawn, *sightings_in(known))
        if handsets.relation(seen.job) is not Relation.NONE
    }
    since = [r for r in known if r.sequence > end_sequence and r.entry.job in same]
    concerned = {seen.job for seen in same.values() if drawn.job in (seen.job, seen.rechecks)}
    for record in since:
        if record.entry.kind is EntryKind.HANDSET_SETTLED and record.entry.job in concerned:
            yield "somebody has decided otherwise about its handset"
        elif dooms(record.entry):
            yield f"job {record.entry.job} has sent its handset to be destroyed"
    at_work = {r.entry.job for r in since if r.entry.kind is not EntryKind.HANDSET_SETTLED}
    for other in same.values():
        if other.job == drawn.job or other.job not in at_work:
            continue
        if other.rechecks != drawn.job:
            yield f"its handset was in job {other.job} since"
        elif other.end is None:
            if found_at is None or other.found_sequence < found_at:
                yield f"job {other.job} is rechecking it"
        elif other.said_no or not _left_it_open(other.end):
            yield f"job {other.job} has rechecked it already"


def _left_it_open(end: Entry) -> bool:
    cut_short = end.data.get("outcome") in (Outcome.ABORTED, Outcome.INTERRUPTED)
    return cut_short or end.data.get("reason") in LEFT_OPEN


def verify_recheck(
    drawn: DrawnErasure,
    job: JobId,
    records: Sequence[StoredEntry],
    others: Sequence[StoredEntry],
) -> VerifiedRecheck:
    """The recheck that these records hold, else CertificateGap with all that is missing."""
    attempts = stage_records(records)
    last = {attempt.stage: attempt for attempt in attempts}
    gaps = [*_of_order(drawn, records, attempts, last)]
    found = last[StageName.FIND_DRAWN].evidence() if StageName.FIND_DRAWN in last else None
    seen = last[StageName.RECHECK].evidence() if StageName.RECHECK in last else None
    if not isinstance(found, FindDrawnEvidence) or not isinstance(seen, RecheckEvidence):
        raise CertificateGap((*gaps, "recheck: what it saw isn't on record"))
    answers = decisions(records)
    gaps += _of_end(drawn)
    gaps += _of_person(drawn, answers)
    gaps += _of_handset(drawn, records, found, answers)
    gaps += _of_port(drawn, records, found, seen)
    gaps += tie_gaps(drawn.records, records, found, seen.chip, answers)
    gaps += lateness_gaps(drawn.records, found)
    gaps += [f"recheck: {gap}" for gap in chip_again_gaps(drawn.records, seen.chip, answers)]
    me = sighting_of(drawn.job, drawn.records)
    told = no_more_open(
        me,
        drawn.records[-1].sequence,
        others,
        job,
        found_at=last[StageName.FIND_DRAWN].ended_sequence,
    )
    gaps += [f"recheck: {gap}" for gap in told]
    if gaps or seen.chip is None:
        raise CertificateGap(tuple(gaps))
    return VerifiedRecheck(job=job, records=records, found=found, chip=seen.chip, answers=answers)


def _of_end(drawn: DrawnErasure) -> Iterator[str]:
    last = drawn.records[-1].entry
    if last.kind is not EntryKind.JOB_ENDED or not ends_recheck_due(last):
        yield "recheck: the job that it is for hasn't ended as one that only lacks it"


def _of_order(
    drawn: DrawnErasure,
    records: Sequence[StoredEntry],
    attempts: Sequence[StageRecord],
    last: dict[StageName, StageRecord],
) -> Iterator[str]:
    """Opened after the drawn job's end, and nothing else was done in it."""
    if not records or records[0].entry.kind is not EntryKind.JOB_OPENED:
        yield "recheck: there is no record of its beginning"
    elif records[0].sequence <= drawn.records[-1].sequence:
        yield "recheck: it began before the job that it is for had ended"
    for stage in RECHECK_STAGES[:2]:
        if stage not in last or last[stage].outcome is not Outcome.PASSED:
            yield f"{stage}: it hasn't passed"
    if any(attempt.stage not in RECHECK_STAGES for attempt in attempts):
        yield "recheck: something else was done to the handset"
    order = [last[stage].ended_sequence for stage in RECHECK_STAGES if stage in last]
    if order != sorted(order):
        yield "recheck: its stages were not run in their order"
    found = [a for a in attempts if a.stage is StageName.FIND_DRAWN and a.outcome is Outcome.PASSED]
    if len(found) > 1:
        yield "find_drawn: it has found its handset more than once"


def _of_person(drawn: DrawnErasure, answers: Sequence[DecisionRecord]) -> Iterator[str]:
    """Everybody who answered in the recheck has touched the handset nowhere before.

    Whoever only reads its number besides may have: they vouch for the number, and for no more.
    """
    if not answers:
        yield "recheck: nobody has answered"
    for answer in answers:
        by_badge = AUTHORITY[ACTION_OF[answer.gate]].by_badge
        if answer.shown_by is ShownBy.BADGE and not by_badge:
            yield f"{answer.gate}: a badge alone doesn't show who answered"
        if answer.gate in NUMBER_GATES:
            continue
        if any(toucher.is_same(answer.person, answer.operator) for toucher in drawn.touchers):
            yield "recheck: somebody who has touched the handset before has answered"


def _of_handset(
    drawn: DrawnErasure,
    records: Sequence[StoredEntry],
    found: FindDrawnEvidence,
    answers: Sequence[DecisionRecord],
) -> Iterator[str]:
    """A person named it by its number, saw it as it has to be, and it never left its port."""
    told = [answer for answer in answers if answer.gate is Gate.RECHECK]
    if found.drawn_job != drawn.job:
        yield "recheck: it is for another job"
    if not told or _answer(told[-1]) != found.answer:
        yield "recheck: its answer isn't the one on record"
    elif not told[-1].approved:
        yield "recheck: the last answer was no"
    if number_in(found.answer.note) != found.screen_number:
        yield "recheck: nobody has named the number of its handset"
    if found.screen_number not in sighting_of(drawn.job, drawn.records).numbers:
        yield "recheck: it was another handset, by its number"
    before, here = bound_in(drawn.records), bound_in(records)
    if before is not None and here is not None and before.tag != here.tag:
        yield "recheck: it was another asset, by its label"
    if any(record.entry.kind is EntryKind.ATTACHMENT_CHANGED for record in records):
        yield "recheck: the handset left its port"


def _answer(record: DecisionRecord) -> DecisionEvidence:
    """The same without from where it came."""
    return DecisionEvidence(
        gate=record.gate,
        approved=record.approved,
        operator=record.operator,
        note=record.note,
        at=record.at,
        person=record.person,
        shown_by=record.shown_by,
        source=record.source,
    )


def number_in(note: str) -> str | None:
    """The number that names a handset in an answer: an IMEI, else a serial; None for neither.

    The id of a job may follow it, where one number fits two handsets.
    """
    whole = screen_number(Gate.IMEI, note)
    words = note.split()
    if whole is not None or not words:
        return whole
    return screen_number(Gate.IMEI, words[0]) or screen_number(Gate.SERIAL, words[0])


def port_differs(opened: Entry, usb_serial: str | None, vendor_id: str | None) -> bool:
    """Whether what USB tells now contradicts what it told as the drawn job was opened."""
    before, vendor = opened.data.get("usb_serial"), opened.data.get("vendor_id")
    other_serial = bool(before) and bool(usb_serial) and before != usb_serial
    return other_serial or vendor != vendor_id


def _of_port(
    drawn: DrawnErasure,
    records: Sequence[StoredEntry],
    found: FindDrawnEvidence,
    seen: RecheckEvidence,
) -> Iterator[str]:
    opened = records[0].entry.data
    if port_differs(drawn.records[0].entry, found.usb_serial, found.vendor_id):
        yield "recheck: it was another handset, by what USB tells"
    if (opened.get("usb_serial"), opened.get("vendor_id")) != (found.usb_serial, found.vendor_id):
        yield "recheck: the port told of another handset when it began"
    if ADB_INTERFACE in (*found.interfaces, *seen.interfaces):
        yield "recheck: adb was on, which a reset switches off"
