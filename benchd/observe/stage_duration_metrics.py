"""What Prometheus is told of time: how long stages take, and how much of it people take."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from itertools import product

from prometheus_client import CollectorRegistry, Counter

from benchd.domain.ids import JobId
from benchd.domain.job import Gate, Outcome, StageName
from benchd.domain.operator_steps import LONGEST, BetweenJobs
from benchd.observe.kept_samples import KeptHistogram
from benchd.observe.slot_metrics import exemplar_of

STAGE_BUCKETS_S = (
    *(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120),
    *(300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200),
)
"""From a look at properties to the overwrite of a large slow phone, and people in between."""
ANSWER_BUCKETS_S = (15, 60, 300, 900, 3600, 14_400)
"""From somebody who stands before the slot to the next morning."""


class Spent(StrEnum):
    """On whom time is spent."""

    MACHINE = "machine"
    PEOPLE = "people"


class TimeMetrics:
    """Each second of an attempt is one of a machine, or one in which a question was open."""

    def __init__(self, registry: CollectorRegistry, stages: Collection[StageName]) -> None:
        self._stages = KeptHistogram(
            "benchd_stage_duration_seconds",
            "How long each attempt of a stage took, waiting for people included",
            ("stage", "outcome"),
            registry=registry,
            buckets=STAGE_BUCKETS_S,
        )
        self._spent = Counter(
            "benchd_stage_time_seconds",
            "Time of attempts that ended, that of machines and that of people's answers apart",
            ("stage", "spent"),
            registry=registry,
        )
        self._answers = KeptHistogram(
            "benchd_answer_seconds",
            "How long questions waited for people's answers, by gate",
            ("gate",),
            registry=registry,
            buckets=ANSWER_BUCKETS_S,
        )
        self._between = Counter(
            "benchd_between_jobs_seconds",
            "How long slots have waited for people outside jobs; waits over 30 min don't count",
            ("step",),
            registry=registry,
        )
        for step in BetweenJobs:
            self._between.labels(step)
        for stage, outcome in product(stages, Outcome):
            self._stages.begin(stage, outcome)
        for stage, spent in product(stages, Spent):
            self._spent.labels(stage, spent)
        for gate in Gate:
            self._answers.begin(gate)

    def stage_took(
        self,
        stage: StageName,
        outcome: Outcome,
        seconds: float,
        *,
        people_s: float = 0.0,
        job: JobId | None = None,
    ) -> None:
        """An attempt of a stage ended; a question was open for `people_s` of it."""
        self._stages.observe(seconds, stage, outcome, exemplar=exemplar_of(job))
        self._spent.labels(stage, Spent.PEOPLE).inc(people_s)
        self._spent.labels(stage, Spent.MACHINE).inc(max(0.0, seconds - people_s))

    def waited_between_jobs(self, step: BetweenJobs, seconds: float) -> None:
        """A slot has waited so long for somebody, outside a job."""
        if seconds <= LONGEST.total_seconds():
            self._between.labels(step).inc(seconds)

    def answered(self, gate: Gate, seconds: float) -> None:
        """A person answered after so long."""
        self._answers.observe(seconds, gate)
