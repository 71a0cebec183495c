"""What Prometheus is told of the records that are sent to the fleet's centre."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class FleetMetrics:
    """How many were acknowledged, what failed, how far the centre is behind, and what it tells."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"benchd_fleet_{name}", text, registry=registry)

        self._acknowledged = Counter(
            "benchd_fleet_records_acknowledged",
            "Records that the fleet's centre has acknowledged since the start",
            registry=registry,
        )
        self._failures = Counter(
            "benchd_fleet_failures",
            "Tries to ask the fleet's centre or to send it records that failed",
            registry=registry,
        )
        self._waits_since = gauge(
            "oldest_unacknowledged_timestamp_seconds",
            "When the oldest record was made that the centre hasn't; 0 while it has all",
        )
        self._forks = gauge("forks", "Forks of this rack's records that the centre tells of")
        self._restores = gauge(
            "restores", "Restores of this rack's ledger that the centre tells of"
        )
        self._knows_more = gauge(
            "knows_more", "1 while the fleet's centre has records of this rack that it lacks itself"
        )

    def acknowledged(self, records: int) -> None:
        """The centre has so many more."""
        self._acknowledged.inc(records)

    def failed(self) -> None:
        """A try has failed."""
        self._failures.inc()

    def waits_since(self, at: float) -> None:
        """When the oldest record was made that isn't acknowledged, in s since 1970; 0 for none."""
        self._waits_since.set(at)

    def centre_reported(self, *, forks: int, restores: int, knows_more: bool) -> None:
        """How many forks and restores the centre has of this rack, and whether more than it has."""
        self._forks.set(forks)
        self._restores.set(restores)
        self._knows_more.set(knows_more)
