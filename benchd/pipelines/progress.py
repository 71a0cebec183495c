"""Turns bytes done into a share and a time left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchd.words.fill import TransferProgress


@dataclass(frozen=True, slots=True)
class TransferMeter:
    """Knows how many bytes are expected and whom to tell."""

    expected_bytes: int
    show: Callable[[float, float | None], None]

    def progress(self, report: TransferProgress) -> None:
        """Show the share done and, from the mean rate so far, the seconds left."""
        if self.expected_bytes <= 0:
            return
        fraction = min(1.0, report.bytes_done / self.expected_bytes)
        rate = report.bytes_done / report.elapsed_s if report.elapsed_s > 0 else 0.0
        left_bytes = max(0, self.expected_bytes - report.bytes_done)
        self.show(fraction, left_bytes / rate if rate > 0 else None)
