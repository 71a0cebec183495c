"""What Prometheus is told of the traces that are sent to a collector."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class TraceMetrics:
    """How many were taken, what failed, and how far the collector is behind."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(f"benchd_{name}", text, registry=registry)

        self._exported = counter("traces_exported", "Traces of jobs that a collector took")
        self._failures = counter("trace_failures", "Tries to hand over a trace that failed")
        self._given_up = counter(
            "traces_given_up", "Traces, or parts of them, that no collector will have"
        )
        self._waits_since = Gauge(
            "benchd_trace_oldest_unsent_timestamp_seconds",
            "When the job ended whose trace waits longest to be sent; 0 while none waits",
            registry=registry,
        )

    def exported(self) -> None:
        """A trace was taken."""
        self._exported.inc()

    def failed(self) -> None:
        """A try has failed."""
        self._failures.inc()

    def gave_up(self) -> None:
        """A trace, or a part of it, that no collector will have."""
        self._given_up.inc()

    def waits_since(self, ended: float) -> None:
        """When the job ended whose trace is due, in seconds since 1970; 0 while none is."""
        self._waits_since.set(ended)
