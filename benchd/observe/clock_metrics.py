"""What Prometheus is told of the machine's clock."""

from __future__ import annotations

import math
from collections.abc import Callable

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

        self._offset = Gauge(
            "benchd_clock_offset_seconds",
            "What the kernel still has to make up for on its clock; NaN where it doesn't say",
            registry=registry,
        )
        self._error = Gauge(
            "benchd_clock_error_seconds",
            "How wrong the clock is at most, as the kernel reckons; NaN where it doesn't say",
            registry=registry,
        )
        self._offset.set(math.nan)
        self._error.set(math.nan)

    def read_from(self, offset_s: Callable[[], float], error_s: Callable[[], float]) -> None:
        """Where to look at every scrape, from another thread than the loop's."""
        self._offset.set_function(offset_s)
        self._error.set_function(error_s)

    def stepped_back(self) -> None:
        """It was set back."""
        self._steps.inc()

    def synchronised(self, *, is_so: bool) -> None:
        """Whether something keeps it right."""
        self._synchronised.set(float(is_so))
