"""What Prometheus is told of the machine's clock."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class ClockMetrics:
    """Whether something keeps it right, and how often it was set back."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._synchronised = Gauge(
            "benchd_clock_synchronised",
            "Whether something keeps the machine's clock right",
            registry=registry,
        )
        self._steps = Counter(
            "benchd_clock_steps_back",
            "How often the machine's clock was seen to be set back",
            registry=registry,
        )

    def stepped_back(self) -> None:
        """It was set back."""
        self._steps.inc()

    def synchronised(self, *, is_so: bool) -> None:
        """Whether something keeps it right."""
        self._synchronised.set(float(is_so))
