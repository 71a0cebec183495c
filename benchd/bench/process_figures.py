"""What the kernel says of a process: processor time, memory, threads, descriptors."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFigures:
    """One look at a process."""

    cpu_s: float
    """Processor time of all its threads so far, user and system."""
    rss_bytes: int
    threads: int
    descriptors: int


def look_at(pid: int) -> ProcessFigures:
    """Read /proc; source of the fields: proc_pid_stat(5) and proc_pid_status(5)."""
    folder = Path(f"/proc/{pid}")
    # The name in brackets may hold anything, spaces too.
    stat = (folder / "stat").read_text().rpartition(")")[2].split()
    status = dict(
        line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line
    )
    return ProcessFigures(
        cpu_s=(int(stat[11]) + int(stat[12])) / _TICKS_PER_S,
        rss_bytes=int(status["VmRSS"].split()[0]) * 1024,
        threads=int(status["Threads"]),
        descriptors=len(list((folder / "fd").iterdir())),
    )
