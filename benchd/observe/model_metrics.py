"""What Prometheus is told of models: how fast they are written and how their jobs end.

By the names of the catalogue, never by what a handset says, and never together with a slot:
docs/adr/0043-series-of-models.md.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter

from benchd.domain.job import Outcome
from benchd.domain.models.model_catalogue import ModelCatalogue

UNKNOWN: Final = "unknown"
"""A model that the catalogue doesn't have, or that was never told."""
OTHER: Final = "other"
"""All models beyond those that have series of their own."""
MODELS_TOLD: Final = 100
"""So many models get series of their own, the first that come."""
TOLD_OUTCOMES: Final = (Outcome.PASSED, Outcome.FAILED)
"""The other ends say something of the rack, not of the model."""


class ModelMetrics:
    """Series begin at zero when a model is first seen, well before it has anything to count."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"benchd_model_{name}", text, ("model", *labels), registry=registry)

        self.catalogue = ModelCatalogue()
        """Changed by a reload."""
        self._told: set[str] = set()
        self._written = counter("overwritten_bytes", "Bytes that overwrites wrote, by model")
        self._seconds = counter(
            "overwrite_seconds",
            "How long those overwrites took, rests left out; bytes by seconds is the rate",
        )
        self._jobs = counter("jobs", "Jobs that passed or failed, by model", "outcome")
        for name in (UNKNOWN, OTHER):
            self._begin(name)

    def seen(self, code: str) -> str:
        """The label of a handset that says this of its model; its series are there from now on."""
        entry = self.catalogue.of_code(code)
        if entry is None:
            return UNKNOWN
        if entry.name not in self._told:
            if len(self._told) >= MODELS_TOLD:
                return OTHER
            self._told.add(entry.name)
            self._begin(entry.name)
        return entry.name

    def _begin(self, name: str) -> None:
        self._written.labels(name)
        self._seconds.labels(name)
        for outcome in TOLD_OUTCOMES:
            self._jobs.labels(name, outcome)

    def overwritten(self, model: str, size_bytes: int, seconds: float) -> None:
        """An overwrite passed: so many bytes in so many seconds of work."""
        self._written.labels(model).inc(size_bytes)
        self._seconds.labels(model).inc(seconds)

    def job_ended(self, model: str, outcome: Outcome) -> None:
        """A job of this model ended."""
        if outcome in TOLD_OUTCOMES:
            self._jobs.labels(model, outcome).inc()
