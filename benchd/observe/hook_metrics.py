"""What Prometheus is told of hooks: by their names, which the configuration closes."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge


class HookMetrics:
    """How many events were taken or refused, how many wait, how many were given up."""

    def __init__(self, registry: CollectorRegistry, hooks: Collection[str]) -> None:
        labels = ("hook",)
        self._sent = Counter(
            "benchd_hook_events_sent", "Events that a receiver took", labels, registry=registry
        )
        self._failures = Counter(
            "benchd_hook_failures",
            "Tries to hand over an event that failed",
            labels,
            registry=registry,
        )
        self._waiting = Gauge(
            "benchd_hook_events_waiting",
            "Events out of the ledger that are still to be sent",
            labels,
            registry=registry,
        )
        self._dead = Gauge(
            "benchd_hook_dead_letters",
            "Events that no try has handed over",
            labels,
            registry=registry,
        )
        for hook in hooks:
            for series in (self._sent, self._failures, self._waiting, self._dead):
                series.labels(hook)

    def took(self, hook: str) -> None:
        """A receiver took an event."""
        self._sent.labels(hook).inc()

    def failed(self, hook: str) -> None:
        """A try has failed."""
        self._failures.labels(hook).inc()

    def stands(self, hook: str, *, waiting: int, dead: int) -> None:
        """So many wait, so many were given up."""
        self._waiting.labels(hook).set(waiting)
        self._dead.labels(hook).set(dead)
