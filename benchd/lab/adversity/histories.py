"""What was ever true and on record of each handset: whose debts and papers it has, whose it isn't.

The rules here belong to rows: a row that the core still breaks is judged only where a schedule
was drawn to break it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from benchd.domain.chip import ChipVerdict
from benchd.domain.ids import Evidence, JobId, JsonValue
from benchd.domain.job import Disposition, Gate, Reason, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.chance import Chance
from benchd.lab.adversity.kinds import Kind, Lie, Radio, Scan
from benchd.lab.adversity.lots import Papers
from benchd.lab.adversity.rows import (
    CLOSED,
    CURRENT,
    FILLED,
    LET_IN,
    LISTED,
    LOOKED_AT,
    NO_SIM,
    NOT_WANTED,
    NOTHING_NEW,
    ONE_HANDSET,
    ONE_NUMBER,
    ONE_STAY,
    OWN_CODES,
    OWN_ITEM,
    OWN_NUMBER,
    PROVEN_DOOM,
    ROW_OF,
    SPENT,
)
from benchd.lab.adversity.schedule import Schedule
from benchd.lab.adversity.truth import FILLER, REACHABLE, Truth
from benchd.proof.evidence.chip_evidence import READER

MOST_LEFT_SHARE: Final = 0.05
"""Of what can be reached, so much may be free once it is filled."""
NETWORK_DAYS: Final = 8
"""What the recipe allows, and the day on which it was cited."""
_OF_ANOTHER: Final = (Reason.HANDSET_CHANGED, Reason.HANDSET_NOT_BOUND)
_SAME: Final = "same_handset"
"""Begins the names of the questions that somebody settles a doubt of identity at."""

Broken = tuple[str, str]
"""A rule and what is wrong."""


@dataclass(slots=True, kw_only=True)
class _Job:
    """What is known of one job beside its handset."""

    truth: Truth | None
    truths: set[str] = field(default_factory=set[str])
    """All that lay there while it was written down."""
    was_bound: bool
    """Whether its protection asked for an account before: nobody sees that before it is set up."""
    stay: tuple[str, int]
    answered: set[str] = field(default_factory=set[str])
    """Questions that were answered with yes."""
    read: set[str] = field(default_factory=set[str])
    cited: dict[str, tuple[str, datetime | None]] = field(
        default_factory=dict[str, tuple[str, datetime | None]]
    )
    chip_by: str | None = None
    tied: bool = False
    """Whether its own chip was seen to fall silent with its NFC."""
    overwritten: bool = False


class Histories:
    """Who each handset is, its numbers, its debts, its papers, and what was seen of its chip."""

    def __init__(self) -> None:
        self._jobs: dict[JobId, _Job] = {}
        self._doomed: dict[str, str] = {}
        """By what, for the first time."""
        self._looks: dict[str, str] = {}
        self._spent: dict[str, JobId] = {}
        self._numbers: dict[str, str] = {}
        self._sold_stays: set[tuple[str, int, str]] = set()
        self._rows = CLOSED
        self._schedule: Schedule | None = None
        self._chance: Chance | None = None
        self._papers: Papers | None = None

    def begin(self, schedule: Schedule, chance: Chance, papers: Papers | None) -> None:
        """Of this schedule, by the true time, with what was imported when."""
        self._rows = CLOSED | set(schedule.rows)
        self._papers = papers
        self._schedule, self._chance = schedule, chance

    def judged(self, broken: Iterator[Broken]) -> Iterator[Broken]:
        """Those whose row is held against this schedule."""
        return (each for each in broken if ROW_OF.get(each[0], 0) in (0, *self._rows))

    def whose(self, job: JobId) -> str | None:
        """The handset that lay there as a job was opened."""
        found = self._jobs.get(job)
        return found.truth.name if found and found.truth else None

    def opened(self, job: JobId, bay: Bay) -> None:
        """A job begins with what lies there."""
        here = bay.judged()
        was_bound = here is not None and here.bound
        self._jobs[job] = _Job(truth=here, was_bound=was_bound, stay=(bay.slot, bay.stay))

    def last_job(self, truth: Truth) -> JobId | None:
        """The newest job that was begun with a handset."""
        return next((j for j in reversed(self._jobs) if self.whose(j) == truth.name), None)

    def doom(self, truth: Truth, by: str) -> None:
        """A handset is to be destroyed, and that is on record."""
        self._doomed.setdefault(truth.name, by)

    def saw(self, stored: StoredEntry, bay: Bay) -> None:
        """Remember what a record tells of a job, and what lay there at that moment."""
        entry = stored.entry
        job = self._jobs.get(entry.job) if entry.job is not None else None
        if job is None:
            return
        here = bay.judged()
        job.truths |= set() if here is None else {here.name}
        if entry.kind is EntryKind.DECISION and entry.data.get("approved") is True:
            job.answered.add(str(entry.data.get("gate")))
            if entry.data.get("gate") == Gate.DESTROYED_BEFORE and here is not None:
                # Let in by somebody in charge, it owes nothing until it is doomed anew.
                self._doomed.pop(here.name, None)
        evidence = entry.data.get("evidence")
        if entry.kind is EntryKind.STAGE_ENDED and isinstance(evidence, Mapping):
            self._saw_stage(job, here, str(entry.data.get("stage")), evidence)

    def _saw_stage(self, job: _Job, here: Truth | None, stage: str, evidence: Evidence) -> None:
        if stage in (StageName.FELICA_CHECK, StageName.FELICA_RECHECK):
            job.chip_by = str(evidence.get("source"))
            silences = here is not None and here.radio is Radio.SILENCES
            job.tied = job.tied or (silences and isinstance(evidence.get("tie"), Mapping))
            self._looked(here, evidence)
        elif stage == StageName.OBSERVE and isinstance(evidence.get("chip"), Mapping):
            self._looked(here, evidence["chip"])
        elif stage == StageName.GATES:
            job.read.update(_numbers_in(evidence))
        job.overwritten = job.overwritten or stage == StageName.READ_BACK
        settled = evidence.get("settled")
        for each in settled if isinstance(settled, Sequence) else [settled]:
            cited = each.get("cited") if isinstance(each, Mapping) else None
            if isinstance(each, Mapping) and isinstance(cited, Mapping):
                told = (str(cited.get("tag")), _moment(cited.get("at")))
                job.cited[str(each.get("gate"))] = told

    def _looked(self, truth: Truth | None, seen: JsonValue) -> None:
        """What a reader has seen of the handset's own chip; silence is of whatever lies there."""
        if truth is None or truth.chip is None or not isinstance(seen, Mapping):
            return
        if seen.get("source") == READER and seen.get("chip") in (None, truth.chip.number):
            self._looks[truth.name] = str(seen.get("verdict"))

    def ended(self, job: JobId, bay: Bay, data: Evidence) -> Iterator[Broken]:
        """A job's end, whatever it is."""
        found, truth = self._jobs.get(job), bay.judged()
        if found is None or truth is None:
            return
        if data["disposition"] == Disposition.DESTROY and found.truth is truth:
            self.doom(truth, f"job {job}")
            if data["reason"] == Reason.SYSTEM_MODIFIED and truth.signs < 2 and not truth.open_boot:
                yield PROVEN_DOOM, f"{truth.name} says {truth.signs} of two signs"
        if self._only_other_codes(bay) and found.overwritten and data["reason"] in _OF_ANOTHER:
            yield OWN_CODES, f"{truth.name}: {data['detail']}"

    def _only_other_codes(self, bay: Bay) -> bool:
        """Whether nothing went wrong in a slot but that the second bar code was scanned."""
        blows = [b for b in self._schedule.blows if b.slot == bay.slot] if self._schedule else []
        return bool(blows) and all(
            blow.kind is Kind.WRONG_SCAN and blow.what == Scan.OTHER_CODE for blow in blows
        )

    def held(self) -> Sequence[JobId]:
        """Every job, where that is judged."""
        return list(self._jobs) if ROW_OF[OWN_ITEM] in self._rows else []

    def closed(self, job: JobId, later: JobId) -> Iterator[Broken]:
        """What one job has left to be done is closed by another."""
        mine, other = self._jobs[job].truths, self._jobs[later].truths
        if mine and other and mine.isdisjoint(other) and not self._nothing_parts(job, later):
            told = f"that of {', '.join(mine)} (job {job}) by job {later} of {', '.join(other)}"
            yield OWN_ITEM, told

    def _nothing_parts(self, *jobs: JobId) -> bool:
        """Whether both tell one made-up number under one serial, and not both have shown a chip."""
        found = [self._jobs[job] for job in jobs]
        truths = [each.truth for each in found if each.truth is not None]
        alike = len({truth.serial for truth in truths}) == 1
        lies = all(truth.lie is Lie.IMEI for truth in truths)
        return alike and lies and not all(each.tied for each in found)

    def sold(self, job: JobId, bay: Bay, truth: Truth) -> Iterator[Broken]:
        """A handset is certified."""
        found = self._jobs.get(job)
        if found is None:
            return
        yield from self._of_debts(found, truth)
        yield from self._of_papers(job, found, truth)
        yield from _of_state(truth, was_bound=found.was_bound and found.truth is truth)
        stay = (bay.slot, bay.stay, truth.name)
        if stay in self._sold_stays and not self._forged:
            yield ONE_STAY, f"{truth.name} has two certificates and was never taken out"
        self._sold_stays.add(stay)

    @property
    def _forged(self) -> bool:
        """Whether somebody was at the file: what a certificate stood in may be gone from it."""
        return self._schedule is not None and self._schedule.forged

    def _of_debts(self, found: _Job, truth: Truth) -> Iterator[Broken]:
        strange = sorted(found.read - {*truth.numbers, truth.serial})
        if strange:
            yield OWN_NUMBER, f"{truth.name} was sold as {', '.join(strange)}"
        # What has a filler for a serial, and other numbers since, shares nothing with what it was.
        unknown = truth.rewritten and truth.serial == FILLER
        let = unknown or Gate.DESTROYED_BEFORE in found.answered
        if truth.name in self._doomed and not let:
            yield LET_IN, f"{truth.name} was doomed by {self._doomed[truth.name]}"
        look = self._looks.get(truth.name, ChipVerdict.UNUSED)
        if look != ChipVerdict.UNUSED and found.chip_by != READER:
            yield LOOKED_AT, f"a reader saw the chip of {truth.name} last as {look}"
        looked_for = sorted({*truth.listed, *truth.restricted})
        if looked_for and not self._somebody_erred(bay_name=found.stay[0]):
            yield NOT_WANTED, f"{truth.name} has {', '.join(looked_for)}"
        settled = any(gate.startswith(_SAME) for gate in found.answered)
        # A serial that two certified handsets have tells nobody which of them a third number is.
        twins = self._schedule and any(bay.twin_of_first for bay in self._schedule.bays)
        let = settled or twins or not self._shares(found, truth)
        if truth.rewritten and truth.name in self._numbers.values() and not let:
            yield ONE_HANDSET, f"{truth.name} was certified under another number"
        for number in truth.numbers:
            owner = self._numbers.setdefault(number, truth.name)
            if owner != truth.name and not self._are_distinct(truth.name, owner):
                yield ONE_NUMBER, f"{number} of {truth.name} was certified for {owner}"

    def _shares(self, found: _Job, truth: Truth) -> bool:
        """Whether a rewritten handset has anything left of what it was: serial, or a tied chip."""
        before = (job for job in self._jobs.values() if job is not found)
        tied = any(job.tied and truth.name in job.truths for job in before)
        return truth.serial != FILLER or (found.tied and tied)

    def _are_distinct(self, *names: str) -> bool:
        """Whether somebody was asked in a job of either: the answer is kept for later ones."""
        jobs = (job for job in self._jobs.values() if not job.truths.isdisjoint(names))
        return any(gate.startswith(_SAME) for job in jobs for gate in job.answered)

    def _somebody_erred(self, *, bay_name: str) -> bool:
        """Whether who looked a number up may have answered wrongly."""
        wrong = (Kind.WRONG_ANSWER, Kind.RACING_ANSWERS)
        blows = self._schedule.blows if self._schedule else ()
        return any(blow.kind in wrong and blow.slot == bay_name for blow in blows)

    def _of_papers(self, job: JobId, found: _Job, truth: Truth) -> Iterator[Broken]:
        for gate, (tag, at) in found.cited.items():
            before = self._spent.get(tag)
            if before is not None and not self._forged:
                yield SPENT, f"{truth.name}: {gate} of {tag}, which job {before} was certified by"
            if gate == Gate.NETWORK and at is not None and self._chance is not None:
                age = self._chance.true_now() - at
                if age > timedelta(days=NETWORK_DAYS):
                    yield CURRENT, f"{truth.name}: {gate} is {age.days} days old"
        paper = self._papers.of.get(truth.name) if self._papers else None
        if paper is not None and paper.late_s is not None:
            stated = [gate for gate in found.cited if gate != Gate.NETWORK]
            for gate in stated:
                yield LISTED, f"{truth.name}: {gate}, attested before {paper.tag} was imported"
        for tag, _ in found.cited.values():
            self._spent.setdefault(tag, job)


def _of_state(truth: Truth, *, was_bound: bool) -> Iterator[Broken]:
    """What lies in it, or holds it, as it is sold."""
    there = {
        "its protection asks for an account": truth.bound and not was_bound,
        "a memory card is in it": truth.card,
        "an organisation manages it": truth.managed,
        "its boot loader is open": truth.open_boot,
    }
    for what in (what for what, holds in there.items() if holds):
        yield NOTHING_NEW, f"{truth.name}: {what}"
    if truth.sim:
        yield NO_SIM, truth.name
    if truth.quota_extents > MOST_LEFT_SHARE * len(REACHABLE):
        yield FILLED, f"{truth.name}: {truth.quota_extents} extents were never written"


def _numbers_in(evidence: Evidence) -> Iterator[str]:
    """Every number that a person is said to have read of it."""
    for name, value in evidence.items():
        if not name.startswith("screen_number"):
            continue
        for number in [value] if isinstance(value, str) else value or ():  # type: ignore[union-attr]
            if isinstance(number, str):
                yield number


def _moment(value: JsonValue) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None
