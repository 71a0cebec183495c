"""How much memory is left for benchd: of the machine, or of its service where that has a bound."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class MemoryGauges(Collector):
    """Looked up at every scrape; NaN where the kernel doesn't say."""

    def __init__(self, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> None:
        self._proc, self._cgroups = proc, cgroups

    def collect(self) -> Iterable[Metric]:
        """What is left, and of how much: both of whichever has least left."""
        free, limit = min(self._bounds(), default=(math.nan, math.nan))
        yield GaugeMetricFamily(
            "benchd_memory_free_bytes",
            "Memory that is left for benchd, of the machine or of its service's own bound",
            value=free,
        )
        yield GaugeMetricFamily("benchd_memory_limit_bytes", "How much that is of", value=limit)

    def _bounds(self) -> Iterator[tuple[float, float]]:
        try:
            lines = (self._proc / "meminfo").read_text().splitlines()
            told = {name: 1024.0 * int(rest.split()[0]) for name, _, rest in map(_parted, lines)}
            yield told["MemAvailable"], told["MemTotal"]
        except (OSError, ValueError, LookupError):
            pass
        for folder in self._groups():
            bound = _bound_of(folder)
            if bound is not None:
                yield bound

    def _groups(self) -> Iterator[Path]:
        """Its own control group and those around it, of the second version."""
        try:
            told = (self._proc / "self" / "cgroup").read_text().splitlines()
        except OSError:
            return
        for line in told:
            if line.startswith("0::/"):
                own = self._cgroups / line.removeprefix("0::/")
                yield from (own, *(up for up in own.parents if up.is_relative_to(self._cgroups)))


def _parted(line: str) -> tuple[str, str, str]:
    return line.partition(":")


def _bound_of(group: Path) -> tuple[float, float] | None:
    try:
        bounds = [
            float(told)
            for name in ("memory.high", "memory.max")
            if (told := (group / name).read_text().strip()) != "max"
        ]
        if not bounds:
            return None
        used = float((group / "memory.current").read_text())
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        # Files that nobody has looked at for a while give their room back.
        used -= float(stat["inactive_file"])
    except (OSError, ValueError, LookupError):
        return None
    return max(0.0, min(bounds) - used), min(bounds)
