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


def figures_of(pid: int) -> ProcessFigures:
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


def family_cpu_s(pid: int) -> float:
    """Processor time so far of a process and all that descend from it; of the living ones."""
    try:
        own_s = figures_of(pid).cpu_s
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for t in tasks for child in (t / "children").read_text().split()]
    except (OSError, KeyError, IndexError):
        return 0.0  # it has ended between two looks
    return own_s + sum(family_cpu_s(child) for child in children)


def machine_cpu_s() -> float:
    """Processor time that this whole machine has spent so far; source: proc_stat(5)."""
    line = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    user, nice, system, _idle, _io, irq, soft = map(int, line.split()[1:8])
    return (user + nice + system + irq + soft) / _TICKS_PER_S
