"""Turns what the ledger has just stored into counts and durations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from benchd.observe.metrics import RackMetrics
from benchd.proof.evidence.chip import ChipEvidence
from benchd.proof.evidence.forms import FORM_BEFORE_NUMBERS, read_evidence
from benchd.proof.evidence.storage import OverwriteEvidence
from benchd.proof.reading import RecordReader
from benchd.words.chip import ChipVerdict
from benchd.words.ids import JobId, SlotName
from benchd.words.job import Disposition, Outcome, Reason, StageName
from benchd.words.record import Entry, EntryKind

_COUNTED: Final = (StageName.OVERWRITE, StageName.FELICA_CHECK)
"""The verdict of `felica_check` on a chip that somebody has used."""


@dataclass(slots=True)
class _OpenJob:
    recipe: str
    stage: tuple[StageName, float] | None = None
    residue: bool = False
    answers: int = 0


@dataclass(slots=True)
class RecordMetrics:
    """Follows jobs by their records. Durations are of `now`, which no clock setting moves."""

    metrics: RackMetrics
    now: Callable[[], float]
    _plugged: dict[SlotName, tuple[int | None, float]] = field(default_factory=dict, init=False)
    _jobs: dict[JobId, _OpenJob] = field(default_factory=dict, init=False)

    def stored(self, entry: Entry) -> None:
        """A record is on disk."""
        match entry.kind:
            case EntryKind.OCCUPANCY_OPENED if entry.slot is not None:
                self._plugged[entry.slot] = (entry.occupancy, self.now())
            case EntryKind.OCCUPANCY_CLOSED if entry.slot is not None:
                self._plugged.pop(entry.slot, None)
            case EntryKind.JOB_OPENED:
                self._job_opened(entry)
            case EntryKind.STAGE_STARTED:
                self._stage_started(entry)
            case EntryKind.STAGE_ENDED:
                self._stage_ended(entry)
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

    def _stage_started(self, entry: Entry) -> None:
        job = self._job_of(entry)
        if job is not None:
            stage = StageName(RecordReader(entry.data, entry.kind).text("stage"))
            job.stage = (stage, self.now())

    def _stage_ended(self, entry: Entry) -> None:
        job = self._job_of(entry)
        if job is None:
            return
        reader = RecordReader(entry.data, entry.kind)
        stage, outcome = StageName(reader.text("stage")), Outcome(reader.text("outcome"))
        self._end_stage(job, outcome)
        if outcome is not Outcome.PASSED:
            return
        if stage in _COUNTED:
            form = reader.optional_whole("form") or FORM_BEFORE_NUMBERS
            self._count(entry, job, read_evidence(stage, reader.mapping("evidence"), form))

    def _count(self, entry: Entry, job: _OpenJob, evidence: object | None) -> None:
        match evidence:
            case OverwriteEvidence() if entry.slot is not None:
                self.metrics.overwritten(entry.slot, evidence.bytes_written)
            case ChipEvidence(verdict=ChipVerdict.IN_USE):
                self._residue(job)
            case _:
                pass

    def _job_ended(self, entry: Entry) -> None:
        job = self._jobs.pop(entry.job, None) if entry.job is not None else None
        reader = RecordReader(entry.data, entry.kind)
        outcome = Outcome(reader.text("outcome"))
        word = reader.optional_text("reason")
        reason = None if word is None else Reason(word)
        self.metrics.job_ended(
            job.recipe if job else None, outcome, Disposition(reader.text("disposition")), reason
        )
        if job is not None:
            self.metrics.answered(outcome, job.answers)
            # A stage that was cut short has no end of its own.
            self._end_stage(job, outcome)
            if reason is Reason.FELICA_RESIDUE:
                self._residue(job)

    def _answered(self, entry: Entry) -> None:
        job = self._job_of(entry)
        if job is not None:
            job.answers += 1

    def _job_of(self, entry: Entry) -> _OpenJob | None:
        return None if entry.job is None else self._jobs.get(entry.job)

    def _end_stage(self, job: _OpenJob, outcome: Outcome) -> None:
        if job.stage is not None:
            stage, started_at = job.stage
            job.stage = None
            self.metrics.stage_took(stage, outcome, self.now() - started_at)

    def _residue(self, job: _OpenJob) -> None:
        """Once a job, whether the check or only the re-check has found it."""
        if not job.residue:
            job.residue = True
            self.metrics.residue_found()
