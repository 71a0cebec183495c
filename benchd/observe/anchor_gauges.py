"""How far the ledger is known outside of the rack; a rack without anchors has no such series."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class AnchorGauges(Collector):
    """Not reached until a head was: an alert needs no success of this daemon to begin with."""

    def __init__(self) -> None:
        self.is_used = False
        """Whether the configuration names an anchor."""
        self._is_up = False
        self._sequence = 0
        self._at = 0.0

    def recalled(self, sequence: int, at: datetime) -> None:
        """Every anchor had this head, as a former daemon has put on record."""
        self._sequence, self._at = sequence, at.timestamp()

    def anchored(self, sequence: int, at: datetime) -> None:
        """Every anchor has this head."""
        self.recalled(sequence, at)
        self._is_up = True

    def unreachable(self) -> None:
        """A head couldn't be sent out."""
        self._is_up = False

    def collect(self) -> Iterable[Metric]:
        """Three figures, or none."""
        for name, text, value in (
            (
                "anchored_timestamp_seconds",
                "When every anchor last had the head; 0 for never",
                self._at,
            ),
            ("anchored_sequence", "The last record that they know of", float(self._sequence)),
            ("anchor_up", "Whether every anchor took the last head", float(self._is_up)),
        ):
            family = GaugeMetricFamily(f"benchd_ledger_{name}", text)
            if self.is_used:
                family.add_metric((), value)
            yield family
