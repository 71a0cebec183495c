"""What Prometheus is told of a rack: every series there is exists from the start.

Labels are words of the model, slots and recipes of the configuration, and nothing that a
handset says. Counters count from the start of the daemon: Prometheus adds restarts up by
itself, and what happened before stands in the ledger.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from itertools import product

from anyio import CapacityLimiter, to_thread
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.metrics_core import Metric

from benchd.domain.disposal import DisposalState
from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Disposition, Outcome, Reason, StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.operator_steps import BetweenJobs
from benchd.domain.slot import SlotView
from benchd.observe.clock_metrics import ClockMetrics
from benchd.observe.expiry_gauges import ExpiryGauges
from benchd.observe.exposition import Exposition
from benchd.observe.fleet_metrics import FleetMetrics
from benchd.observe.hook_metrics import HookMetrics
from benchd.observe.label_metrics import LabelMetrics
from benchd.observe.ledger_metrics import LedgerMetrics
from benchd.observe.memory_gauges import MemoryGauges
from benchd.observe.model_metrics import ModelMetrics
from benchd.observe.rack_gauges import RackGauges
from benchd.observe.slot_metrics import SlotMetrics, exemplar_of
from benchd.observe.stage_duration_metrics import TimeMetrics
from benchd.observe.storage_gauges import StorageGauges
from benchd.observe.trace_metrics import TraceMetrics

OTHER_RECIPE = "other"
"""A job that a former daemon began with a recipe that is no longer configured."""
NO_REASON = "none"

QUESTION_BUCKETS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16)
"""Two is a clean handset of a lot; eight is one of which nothing was known."""
START_BUCKETS_S = (0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
COMMIT_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LAG_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class RackMetrics:
    """All metrics of one rack, in a registry of their own."""

    def __init__(
        self,
        *,
        slots: Collection[SlotName],
        recipes: Collection[str],
        stages: Collection[StageName],
        version: str,
        hooks: Collection[str] = (),
        commit: str = "unknown",
    ) -> None:
        # Each counter would bring a second series with the time at which it was made.
        disable_created_metrics()
        self._recipes = frozenset(recipes)
        self._registry = CollectorRegistry()
        self._exposition = Exposition(self._registry)
        self._limiter = CapacityLimiter(1)
        self._gauges = RackGauges(slots)
        self._registry.register(self._gauges)
        self.storage = StorageGauges()
        self.expiry = ExpiryGauges()
        for gauges in (self.storage, self.expiry, MemoryGauges()):
            self._registry.register(gauges)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        Info(
            "benchd_build", "The benchd that runs and the Python under it", registry=self._registry
        ).info({"version": version, "commit": commit, "python": platform.python_version()})
        self.time = TimeMetrics(self._registry, stages)
        self.slots = SlotMetrics(self._registry)
        self.models = ModelMetrics(self._registry)
        self._jobs = self._counter("benchd_jobs", "Jobs that ended", "recipe", "outcome")
        self._dispositions = self._counter(
            "benchd_dispositions", "Where handsets went, and why", "disposition", "reason"
        )
        self._residue = self._counter(
            "benchd_felica_residue_found", "Jobs in which a FeliCa chip was found in use"
        )
        self._rechecks = self._counter(
            "benchd_drawn_rechecks",
            "Rechecks of drawn handsets that found nothing (passed) or something (failed) on them",
            "outcome",
        )
        self._faults = self._counter(
            "benchd_metrics_faults",
            "Ledger records that these metrics couldn't count; the jobs went on",
        )
        self._questions = Histogram(
            "benchd_questions_per_job",
            "How many questions of a job people have answered, by how it ended",
            ("outcome",),
            registry=self._registry,
            buckets=QUESTION_BUCKETS,
        )
        self._starts = self._histogram(
            "benchd_hotplug_to_start_seconds",
            "From the plug of a handset to the start of its job, settling and people included",
            START_BUCKETS_S,
        )
        self._lags = self._histogram(
            "benchd_event_loop_lag_seconds",
            "How much later than asked for the event loop comes back to a task",
            LAG_BUCKETS_S,
        )
        self._commits = self._histogram(
            "benchd_ledger_commit_seconds",
            "How long a record took to be on the ledger's disk",
            COMMIT_BUCKETS_S,
        )
        self.ledger = LedgerMetrics(self._registry)
        self._key_created = Gauge(
            "benchd_key_created_timestamp_seconds",
            "When the key that signs came into use: at the last rotation, or the first record",
            registry=self._registry,
        )
        self.clock = ClockMetrics(self._registry)
        self.labels = LabelMetrics(self._registry)
        self.hooks = HookMetrics(self._registry, hooks)
        self.traces = TraceMetrics(self._registry)
        self.fleet = FleetMetrics(self._registry)
        self.slots.configure(slots)
        self._fill_with_zeros()

    def key_created(self, at: datetime) -> None:
        """The key that signs has done so since then."""
        self._key_created.set(at.timestamp())

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, buckets: Iterable[float]) -> Histogram:
        return Histogram(name, text, registry=self._registry, buckets=tuple(buckets))

    def _fill_with_zeros(self) -> None:
        for recipe, outcome in product((*self._recipes, OTHER_RECIPE), Outcome):
            self._jobs.labels(recipe, outcome)
        for outcome in Outcome:
            self._questions.labels(outcome)
        for outcome in (Outcome.PASSED, Outcome.FAILED):
            self._rechecks.labels(outcome)
        for disposition, reason in product(Disposition, (*Reason, NO_REASON)):
            self._dispositions.labels(disposition, reason)

    def read_from(
        self,
        *,
        views: Callable[[], Mapping[SlotName, SlotView]] | None = None,
        adb_up: Callable[[], bool] | None = None,
        adb_starts: Callable[[], int] | None = None,
        readers: Collection[SlotName] | None = None,
        readers_up: Callable[[], Collection[SlotName] | None] | None = None,
        open_items: Callable[[], Mapping[DisposalState, int]] | None = None,
        helpers: Mapping[str, Callable[[], bool]] | None = None,
    ) -> None:
        """Where to look at every scrape, from another thread than the loop's.

        `readers` are the slots that have a reader, `readers_up` those whose reader answers
        (None before anybody has looked),
        `open_items` how many handsets wait for somebody to say what becomes of them. Whether each
        of the `helpers` answers is asked beside those that were named before.
        """
        self._gauges.views = views or self._gauges.views
        self._gauges.adb_up = adb_up or self._gauges.adb_up
        self._gauges.adb_starts = adb_starts or self._gauges.adb_starts
        self._gauges.readers = self._gauges.readers if readers is None else frozenset(readers)
        self._gauges.readers_up = readers_up or self._gauges.readers_up
        self._gauges.open_items = open_items or self._gauges.open_items
        self._gauges.helpers |= helpers or {}

    def reconfigured(
        self, *, slots: Collection[SlotName], recipes: Collection[str], models: ModelCatalogue
    ) -> None:
        """The configuration has changed: what is new begins at zero, slots that left are gone.

        Recipes and models that left keep their series: their last jobs may still be running.
        """
        self.slots.configure(slots)
        self.models.catalogue = models
        self._recipes = self._recipes.union(recipes)
        self._gauges.slots = tuple(slots)
        self._fill_with_zeros()

    async def expose(self, accept: str) -> tuple[bytes, str]:
        """All metrics in the form that is asked for, and its content type."""
        # Thousands of lines take some 10 ms, too long for the loop.
        return await to_thread.run_sync(self._exposition.encode, accept, limiter=self._limiter)

    def families(self) -> Iterable[Metric]:
        """All metrics as they are now: what docs/metrics.md is made from."""
        return self._registry.collect()

    def job_ended(
        self,
        recipe: str | None,
        outcome: Outcome,
        disposition: Disposition,
        reason: Reason | None,
        job: JobId | None = None,
    ) -> None:
        """A job ended; None is a recipe that nobody knows any more."""
        known = recipe if recipe in self._recipes else OTHER_RECIPE
        self._jobs.labels(known, outcome).inc(exemplar=exemplar_of(job))
        self._dispositions.labels(disposition, reason or NO_REASON).inc()

    def answered(self, outcome: Outcome, questions: int) -> None:
        """A job has ended after so many answers of people."""
        self._questions.labels(outcome).observe(questions)

    def residue_found(self) -> None:
        """A chip with somebody's balance or history in it."""
        self._residue.inc()

    def rechecked(self, outcome: Outcome) -> None:
        """A third person has looked at a drawn handset: it passed, or it failed."""
        self._rechecks.labels(outcome).inc()

    def job_began(self, seconds: float) -> None:
        """A job began this long after its handset was plugged in."""
        self._starts.observe(seconds)
        self.time.waited_between_jobs(BetweenJobs.PLUGGING, seconds)

    def handset_changed(self, seconds: float) -> None:
        """The next handset is in its slot, this long after the last job there ended."""
        self.time.waited_between_jobs(BetweenJobs.CHANGING, seconds)

    def commit_took(self, seconds: float) -> None:
        """A record is on disk."""
        self._commits.observe(seconds)

    def loop_lagged(self, seconds: float) -> None:
        """The event loop came back this much later than it was asked to."""
        self._lags.observe(seconds)

    def fault(self) -> None:
        """These metrics have missed something."""
        self._faults.inc()
