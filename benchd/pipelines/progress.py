"""Turns bytes done into a share, a rate and a time left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from benchd.words.fill import TransferProgress
from benchd.words.slot import ProgressView, TransferView


@dataclass(slots=True)
class TransferMeter:
    """Knows how many bytes are expected and whom to tell."""

    expected_bytes: int
    show: Callable[[ProgressView], None]
    _before: TransferProgress | None = field(default=None, init=False)

    def progress(self, report: TransferProgress) -> None:
        """Show the share done, the present rate and, by the mean rate, the seconds left."""
        if self.expected_bytes <= 0:
            return
        fraction = min(1.0, report.bytes_done / self.expected_bytes)
        mean = _rate(report.bytes_done, report.elapsed_s)
        left_bytes = max(0, self.expected_bytes - report.bytes_done)
        transfer = TransferView(bytes_done=report.bytes_done, bytes_per_s=self._present(report))
        eta_s = left_bytes / mean if mean > 0 else None
        self.show(ProgressView(fraction=fraction, eta_s=eta_s, transfer=transfer))

    def _present(self, report: TransferProgress) -> float:
        """Zero for the first report, which may count what an earlier run has written."""
        before, self._before = self._before, report
        if before is None:
            return 0.0
        return _rate(report.bytes_done - before.bytes_done, report.elapsed_s - before.elapsed_s)


def _rate(size_bytes: int, seconds: float) -> float:
    return max(0.0, size_bytes / seconds) if seconds > 0 else 0.0
