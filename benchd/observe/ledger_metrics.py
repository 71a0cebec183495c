"""What Prometheus is told of the ledger itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram
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


BATCH_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64)


class LedgerMetrics:
    """What its commits hold, how far it has been checked, and is known outside of the rack."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.anchors = AnchorGauges()
        registry.register(self.anchors)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"benchd_ledger_{name}", text, registry=registry)

        self._batches = Histogram(
            "benchd_ledger_commit_records",
            "How many records shared a commit and its sync",
            registry=registry,
            buckets=BATCH_BUCKETS,
        )
        self._progress = gauge("check_progress_ratio", "How far the present or last pass has come")
        self._checked = gauge(
            "checked_timestamp_seconds", "When the whole chain was last found to hold; 0 for never"
        )
        self._broken = gauge("broken", "1 while the chain doesn't hold: no job begins")
        self._restores = gauge(
            "restores",
            "How often an older state was put back, by its records; what came after it is lost",
        )
        self._backup = gauge(
            "last_backup_timestamp_seconds",
            "When `benchd ledger backup` last wrote one to another disk; 0 for never",
        )
        self._verification = gauge(
            "last_verification_timestamp_seconds",
            "When `benchd ledger verify` last found every byte of it right; 0 for never",
        )

    def read_from(
        self, *, last_backup: Callable[[], float], last_verification: Callable[[], float]
    ) -> None:
        """Where to look at every scrape, from another thread than the loop's."""
        self._backup.set_function(last_backup)
        self._verification.set_function(last_verification)

    def committed(self, records: int) -> None:
        """So many records came to the disk by one commit."""
        self._batches.observe(records)

    def walked(self, share: float) -> None:
        """This much of the chain has been looked at in this pass."""
        self._progress.set(share)

    def sound(self, at: datetime) -> None:
        """The whole chain held at this time."""
        self._checked.set(at.timestamp())
        self._broken.set(0)

    def broken(self) -> None:
        """The chain doesn't hold."""
        self._broken.set(1)

    def restored(self, times: int) -> None:
        """So many restores are on record."""
        self._restores.set(times)
