"""What becomes of each job, in the log: told by its records, once they are on disk.

Facts, notes and numbers of handsets stay in the ledger: here stand codes, times and whose a
decision was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from benchd.domain.ids import Evidence, JobId, JsonValue
from benchd.domain.job import Outcome, StageName
from benchd.domain.record import Entry, EntryKind
from benchd.proof.record_fields import RecordReader

_log = structlog.get_logger()


@dataclass(slots=True)
class _OpenJob:
    recipe: str | None = None
    opened_s: float | None = None
    stage_s: float | None = None
    model: str | None = None
    bytes_written: int | None = None
    asked_s: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(slots=True)
class JobLog:
    """Follows jobs by their records. Durations are of `now`, which no clock setting moves."""

    now: Callable[[], float]
    _jobs: dict[JobId, _OpenJob] = field(default_factory=dict[JobId, _OpenJob], init=False)

    def stored(self, entry: Entry) -> None:
        """A record is on disk."""
        where = {"slot": entry.slot, "job": entry.job, "occupancy": entry.occupancy}
        _log.debug("record_stored", kind=entry.kind, **where)
        if entry.job is None:
            return
        log = _log.bind(**where)
        told = RecordReader(entry.data, entry.kind)
        # A job's records may come after its end too: those open nothing again.
        job = self._jobs.get(entry.job) or _OpenJob()
        match entry.kind:
            case EntryKind.JOB_OPENED:
                job = _OpenJob(recipe=told.text("recipe"), opened_s=self.now())
                self._jobs[entry.job] = job
                log.info("job_opened", recipe=job.recipe)
            case EntryKind.STAGE_STARTED:
                job.stage_s = self.now()
                log.info("stage_started", stage=told.text("stage"), attempt=_of(entry, "attempt"))
            case EntryKind.STAGE_ENDED:
                self._stage_ended(job, told, log)
            case EntryKind.QUESTION_ASKED:
                gate = told.text("gate")
                job.asked_s[gate] = self.now()
                log.info("question_asked", gate=gate)
            case EntryKind.DECISION:
                gate = told.text("gate")
                log.info(
                    "question_answered",
                    gate=gate,
                    approved=_of(entry, "approved"),
                    person=told.optional_text("person"),
                    shown_by=told.optional_text("shown_by"),
                    seconds=self._since(job.asked_s.pop(gate, None)),
                )
            case EntryKind.JOB_ENDED:
                self._jobs.pop(entry.job, None)
                log.info(
                    "job_ended",
                    outcome=told.text("outcome"),
                    disposition=told.text("disposition"),
                    reason=told.optional_text("reason"),
                    recipe=job.recipe,
                    model=job.model,
                    seconds=self._since(job.opened_s),
                    bytes=job.bytes_written,
                )
            case _:
                pass

    def recalled(self, entry: Entry) -> None:
        """A former daemon's job that is still open; nobody has measured how long it took."""
        if entry.job is not None:
            recipe = RecordReader(entry.data, entry.kind).optional_text("recipe")
            self._jobs.setdefault(entry.job, _OpenJob(recipe=recipe))

    def _stage_ended(
        self, job: _OpenJob, told: RecordReader, log: structlog.typing.FilteringBoundLogger
    ) -> None:
        stage, outcome = told.text("stage"), told.text("outcome")
        seconds, job.stage_s = self._since(job.stage_s), None
        if outcome == Outcome.SKIPPED:
            log.info("stage_skipped", stage=stage, because=told.optional_text("because"))
        elif outcome == Outcome.PASSED:
            log.info("stage_passed", stage=stage, seconds=seconds)
            _note(job, stage, told.mapping("evidence"))

    def _since(self, began_s: float | None) -> float | None:
        return None if began_s is None else round(self.now() - began_s, 1)


def _note(job: _OpenJob, stage: str, evidence: Evidence) -> None:
    """What the job's end is to tell of what its stages saw."""
    model, written = evidence.get("model"), evidence.get("bytes_written")
    if stage == StageName.INSPECT and isinstance(model, str):
        job.model = model
    if stage == StageName.OVERWRITE and isinstance(written, int):
        job.bytes_written = written


def _of(entry: Entry, key: str) -> JsonValue:
    return entry.data.get(key)
