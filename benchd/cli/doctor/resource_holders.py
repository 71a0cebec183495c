"""Which process holds what the daemon needs: its port, its ledger; by the kernel's own tables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
TCP_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
LOCKS: Final = Path("/proc/locks")
_LISTEN: Final = "0A"
"""TCP_LISTEN of the kernel's include/net/tcp_states.h."""
_SERVICE: Final = re.compile(
    r"^0::/system\.slice/(?:[^/\n]+\.slice/)*([^/\n]+\.service)", re.MULTILINE
)
"""cgroups(7): whose it is on a machine that systemd runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process, and the service that it belongs to, if any."""

    pid: int
    name: str
    service: str | None = None

    @property
    def ended_by(self) -> str:
        """The command that ends it for good: systemd would begin a service anew."""
        return f"systemctl stop {self.service}" if self.service else f"kill {self.pid}"


def listener_of(port: int, tables: Sequence[Path] = TCP_TABLES, proc: Path = PROC) -> Holder | None:
    """Who listens at a TCP port; None where nobody does, or this user may not see who."""
    sockets = {f"socket:[{row[9]}]" for row in listeners(port, tables) if len(row) > 9}
    for each in proc.glob("[0-9]*/fd/*") if sockets else ():
        try:
            if str(each.readlink()) in sockets:
                return holder(int(each.parts[-3]), proc)
        except OSError:
            continue  # it has ended meanwhile, or is somebody else's
    return None


def lock_holder(file: Path, locks: Path = LOCKS, proc: Path = PROC) -> Holder | None:
    """Who holds the lock on a file (flock(2)); None where nobody does."""
    try:
        found, text = file.stat(), locks.read_text("ascii", "replace")
    except OSError:
        return None
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    for line in text.splitlines():
        fields = line.split()
        if fields[1:2] == ["FLOCK"] and len(fields) > 5 and fields[5] == place:
            return holder(int(fields[4]), proc)
    return None


def holder(pid: int, proc: Path = PROC) -> Holder:
    """What is known of a process."""
    name = _read(proc / str(pid) / "comm").strip() or "?"
    service = _SERVICE.search(_read(proc / str(pid) / "cgroup"))
    return Holder(pid=pid, name=name, service=service[1] if service else None)


def is_stopped(pid: int, proc: Path = PROC) -> bool:
    """Whether a signal keeps it from running (proc_pid_stat(5))."""
    return _read(proc / str(pid) / "stat").rpartition(") ")[2][:1] in ("T", "t")


def listeners(port: int, tables: Sequence[Path] = TCP_TABLES) -> list[list[str]]:
    """The kernel's rows of whoever listens at this TCP port (proc_pid_net(5))."""
    rows = (row for table in tables for row in _rows_of(table))
    return [row for row in rows if row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port]


def _rows_of(table: Path) -> Iterator[list[str]]:
    """None where it isn't there: a kernel without IPv6."""
    if table.exists():
        yield from (line.split() for line in table.read_text("ascii").splitlines()[1:])


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""
