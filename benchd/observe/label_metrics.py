"""What Prometheus is told of the printers of labels."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge

from benchd.domain.label import LabelEnd


class LabelMetrics:
    """By the names that the configuration gives printers, and nothing that stands on a label."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = Counter(
            "benchd_labels",
            "Labels that won't be thought of any more, by what became of them",
            ("printer", "end"),
            registry=registry,
        )
        self._up = Gauge(
            "benchd_printer_up",
            "Whether the printer took what it was sent last; 1 before anything was",
            ("printer",),
            registry=registry,
        )
        self._waiting = Gauge(
            "benchd_labels_waiting",
            "Labels that the printer hasn't taken yet",
            ("printer",),
            registry=registry,
        )
        self._printers: frozenset[str] = frozenset()

    def printers(self, names: Collection[str]) -> None:
        """These are configured: their series begin."""
        self._printers = frozenset(names)
        for name in names:
            self._up.labels(name).set(1)
            self._waiting.labels(name).set(0)
            for end in LabelEnd:
                self._ended.labels(name, end)

    def ended(self, printer: str, end: LabelEnd) -> None:
        """A label won't be thought of any more."""
        if printer in self._printers:
            self._ended.labels(printer, end).inc()

    def up(self, printer: str, *, is_so: bool) -> None:
        """Whether it took what it was sent last."""
        if printer in self._printers:
            self._up.labels(printer).set(float(is_so))

    def waits(self, printer: str, labels: int) -> None:
        """So many wait for it."""
        if printer in self._printers:
            self._waiting.labels(printer).set(labels)
