"""Turns what the ledger has just stored into counts and durations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from benchd.domain.chip import ChipVerdict
from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Disposition, FaultCode, Gate, Outcome, Reason, StageName
from benchd.domain.record import Entry, EntryKind
from benchd.observe.metrics import RackMetrics
from benchd.observe.model_metrics import UNKNOWN
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.proof.evidence.job_evidence import read_evidence
from benchd.proof.evidence.storage_evidence import OverwriteEvidence
from benchd.proof.recheck_proof import LEFT_OPEN
from benchd.proof.record_fields import RecordReader

_COUNTED: Final = (StageName.OVERWRITE, StageName.FELICA_CHECK)
"""The verdict of `felica_check` on a chip that somebody has used."""


@dataclass(slots=True)
class AskedTime:
    """The open questions of one job; two at once take their time only once.

    A question that the handset itself has answered has no record of that, and so counts until its
    attempt ends.
    """

    _since: dict[Gate, float] = field(default_factory=dict[Gate, float])
    _began: float = 0.0
    _total_s: float = 0.0

    def begin(self, gate: Gate, now: float) -> None:
        """A question is asked."""
        if not self._since:
            self._began = now
        self._since[gate] = now

    def end(self, gate: Gate, now: float) -> float | None:
        """It is answered, after so many seconds; None for one that nobody knows of."""
        since = self._since.pop(gate, None)
        if since is None:
            return None
        if not self._since:
            self._total_s += now - self._began
        return now - since

    def close(self, now: float) -> float:
        """The attempt ends: the seconds in which anything was open, from the start again."""
        if self._since:
            self._total_s += now - self._began
            self._since.clear()
        total, self._total_s = self._total_s, 0.0
        return total


@dataclass(slots=True)
class _OpenJob:
    recipe: str
    model: str = UNKNOWN
    stage: tuple[StageName, float] | None = None
    residue: bool = False
    rechecks: bool = False
    """It has found the drawn handset that it is for."""
    answers: int = 0
    asked: AskedTime = field(default_factory=AskedTime)


@dataclass(slots=True)
class RecordMetrics:
    """Follows jobs by their records. Durations are of `now`, which no clock setting moves."""

    metrics: RackMetrics
    now: Callable[[], float]
    _plugged: dict[SlotName, tuple[int | None, float]] = field(default_factory=dict, init=False)
    _freed: dict[SlotName, float] = field(default_factory=dict, init=False)
    """When the last job of a slot ended that still waits for its next handset."""
    _jobs: dict[JobId, _OpenJob] = field(default_factory=dict, init=False)

    def stored(self, entry: Entry) -> None:
        """A record is on disk."""
        match entry.kind:
            case EntryKind.OCCUPANCY_OPENED if entry.slot is not None:
                self._handset_changed(entry.slot)
                self._plugged[entry.slot] = (entry.occupancy, self.now())
            case EntryKind.OCCUPANCY_CLOSED if entry.slot is not None:
                self._plugged.pop(entry.slot, None)
            case EntryKind.ATTACHMENT_CHANGED if entry.slot is not None:
                self.metrics.slots.reenumerated(entry.slot)
            case EntryKind.JOB_OPENED:
                self._job_opened(entry)
            case EntryKind.STAGE_STARTED:
                self._stage_started(entry)
            case EntryKind.STAGE_ENDED:
                self._stage_ended(entry)
            case EntryKind.QUESTION_ASKED:
                self._asked(entry)
            case EntryKind.DECISION:
                self._answered(entry)
            case EntryKind.JOB_ENDED:
                self._job_ended(entry)
            case _:
                pass

    def recalled(self, entry: Entry) -> None:
        """A former daemon's job that is still open: it is about to be ended."""
        if entry.job is not None:
            recipe = RecordReader(entry.data, entry.kind).text("recipe")
            self._jobs.setdefault(entry.job, _OpenJob(recipe))

    def _job_opened(self, entry: Entry) -> None:
        self.recalled(entry)
        if entry.slot is None:
            return
        occupancy, plugged_at = self._plugged.pop(entry.slot, (None, 0.0))
        if occupancy is not None and occupancy == entry.occupancy:
            self.metrics.job_began(self.now() - plugged_at)

    def _handset_changed(self, slot: SlotName) -> None:
        freed_at = self._freed.pop(slot, None)
        if freed_at is not None:
            self.metrics.handset_changed(self.now() - freed_at)

    def _stage_started(self, entry: Entry) -> None:
        job = self._job_of(entry)
        if job is not None:
            stage = RecordReader(entry.data, entry.kind).word("stage", StageName)
            job.stage = (stage, self.now())
        if entry.slot is not None:
            self.metrics.slots.attempt_began(entry.slot)

    def _stage_ended(self, entry: Entry) -> None:
        job = self._job_of(entry)
        if job is None:
            return
        reader = RecordReader(entry.data, entry.kind)
        stage, outcome = reader.word("stage", StageName), reader.word("outcome", Outcome)
        self._end_stage(job, entry.job, outcome)
        if outcome is not Outcome.PASSED:
            self._attempt_failed(entry.slot, reader.optional_text("because"))
            return
        if stage is StageName.INSPECT:
            # Only this of its many facts, of every job: reading all takes time and memory.
            told = RecordReader(reader.mapping("evidence"), entry.kind)
            job.model = self.metrics.models.seen(told.text("model"))
        if stage is StageName.FIND_DRAWN:
            job.rechecks = True
        if stage in _COUNTED:
            seen = read_evidence(stage, reader.mapping("evidence"), reader.form())
            self._count(entry, job, seen)

    def _attempt_failed(self, slot: SlotName | None, because: str | None) -> None:
        if slot is None:
            return
        if because == Reason.HANDSET_STALLED:
            self.metrics.slots.stalled(slot)
        elif because in set(FaultCode):
            self.metrics.slots.attempt_failed(slot, FaultCode(because))

    def _count(self, entry: Entry, job: _OpenJob, evidence: object | None) -> None:
        match evidence:
            case OverwriteEvidence() if entry.slot is not None:
                self._overwrote(entry.slot, job, evidence)
            case ChipEvidence(verdict=ChipVerdict.IN_USE):
                self._residue(job)
            case _:
                pass

    def _overwrote(self, slot: SlotName, job: _OpenJob, evidence: OverwriteEvidence) -> None:
        if evidence.resumed_bytes:
            self.metrics.slots.resumed(slot)
        # What an earlier run had written took none of this time.
        new_bytes = max(0, evidence.bytes_written - evidence.resumed_bytes)
        worked_s = max(0.0, evidence.elapsed_s - evidence.rested_s)
        self.metrics.slots.wrote(
            slot, evidence.bytes_written, new_bytes=new_bytes, worked_s=worked_s
        )
        self.metrics.models.overwritten(job.model, new_bytes, worked_s)

    def _job_ended(self, entry: Entry) -> None:
        job = self._jobs.pop(entry.job, None) if entry.job is not None else None
        reader = RecordReader(entry.data, entry.kind)
        outcome = reader.word("outcome", Outcome)
        reason = reader.optional_word("reason", Reason)
        disposition = reader.word("disposition", Disposition)
        self.metrics.job_ended(job.recipe if job else None, outcome, disposition, reason, entry.job)
        if entry.slot is not None:
            self.metrics.slots.job_ended(entry.slot, outcome, entry.job)
            self._freed[entry.slot] = self.now()
        if entry.job is not None and reader.optional_text("certificate"):
            self.metrics.storage.certified(entry.job)
        if job is not None:
            self.metrics.models.job_ended(job.model, outcome)
            self.metrics.answered(outcome, job.answers)
            # A stage that was cut short has no end of its own.
            self._end_stage(job, entry.job, outcome)
            if reason is Reason.FELICA_RESIDUE:
                self._residue(job)
            if job.rechecks:
                self._rechecked(outcome, reason)

    def _rechecked(self, outcome: Outcome, reason: Reason | None) -> None:
        """What was left open may be looked at again, and counts only then."""
        found_something = outcome is Outcome.FAILED and reason not in LEFT_OPEN
        if found_something or outcome is Outcome.PASSED:
            self.metrics.rechecked(outcome)

    def _asked(self, entry: Entry) -> None:
        job = self._job_of(entry)
        if job is not None:
            job.asked.begin(_gate_of(entry), self.now())

    def _answered(self, entry: Entry) -> None:
        job = self._job_of(entry)
        if job is None:
            return
        job.answers += 1
        gate = _gate_of(entry)
        waited_s = job.asked.end(gate, self.now())
        if waited_s is not None:
            self.metrics.time.answered(gate, waited_s)

    def _job_of(self, entry: Entry) -> _OpenJob | None:
        return None if entry.job is None else self._jobs.get(entry.job)

    def _end_stage(self, job: _OpenJob, number: JobId | None, outcome: Outcome) -> None:
        if job.stage is not None:
            stage, started_at = job.stage
            job.stage = None
            now = self.now()
            self.metrics.time.stage_took(
                stage, outcome, now - started_at, people_s=job.asked.close(now), job=number
            )

    def _residue(self, job: _OpenJob) -> None:
        """Once a job, whether the check or only the re-check has found it."""
        if not job.residue:
            job.residue = True
            self.metrics.residue_found()


def _gate_of(entry: Entry) -> Gate:
    return RecordReader(entry.data, entry.kind).word("gate", Gate)
