"""What each process of a measured crowd has cost: processor time, memory, wake-ups; apart."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchd.domain.ids import JsonValue
from benchd.lab.benchmarks.process_figures import family_cpu_s, figures_of

_SWITCHES: Final = "voluntary_ctxt_switches:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One look at daemon, workers and crowd; times in s, memory in bytes."""

    daemon_cpu_s: float
    workers_cpu_s: float
    """Of all that the daemon has started, and that still lives."""
    crowd_cpu_s: float
    daemon_wakeups: int
    crowd_wakeups: int
    daemon_rss_bytes: int
    crowd_rss_bytes: int
    threads: int
    descriptors: int

    @classmethod
    def of(cls, daemon: int, crowd: int) -> Account:
        """The present state of these processes; raises OSError where one has ended."""
        inside, outside = figures_of(daemon), figures_of(crowd)
        return cls(
            daemon_cpu_s=inside.cpu_s,
            workers_cpu_s=max(0.0, family_cpu_s(daemon) - inside.cpu_s),
            crowd_cpu_s=outside.cpu_s,
            daemon_wakeups=_wakeups(daemon),
            crowd_wakeups=_wakeups(crowd),
            daemon_rss_bytes=inside.rss_bytes,
            crowd_rss_bytes=outside.rss_bytes,
            threads=inside.threads,
            descriptors=inside.descriptors,
        )

    def since(self, earlier: Account) -> Mapping[str, JsonValue]:
        """What was spent since then, and what is there now."""
        return {
            "daemon_cpu_s": round(self.daemon_cpu_s - earlier.daemon_cpu_s, 3),
            "workers_cpu_s": round(self.workers_cpu_s - earlier.workers_cpu_s, 3),
            "crowd_cpu_s": round(self.crowd_cpu_s - earlier.crowd_cpu_s, 3),
            "daemon_wakeups": self.daemon_wakeups - earlier.daemon_wakeups,
            "crowd_wakeups": self.crowd_wakeups - earlier.crowd_wakeups,
            "daemon_rss_mb": round(self.daemon_rss_bytes / 1e6, 1),
            "crowd_rss_mb": round(self.crowd_rss_bytes / 1e6, 1),
            "threads": self.threads,
            "descriptors": self.descriptors,
        }


def _wakeups(pid: int) -> int:
    """How often its threads have waited and were woken; source: proc_pid_status(5)."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # a thread may end between two looks
            for line in (task / "status").read_text().splitlines():
                if line.startswith(_SWITCHES):
                    total += int(line.removeprefix(_SWITCHES))
    return total
