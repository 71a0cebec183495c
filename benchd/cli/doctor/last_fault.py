"""The line that a daemon left in the journal whose start failed, or who had to end."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Final, cast

_ASKED: Final = (
    *("journalctl", "--quiet", "--lines=1", "--reverse", "--output=json"),
    *("_SYSTEMD_UNIT=benchd.service", "BENCHD_EVENT=ended_by_fault", "BENCHD_EVENT=ready"),
)
"""The newest of either: since it was ready, nothing has ended it."""
_WITHIN_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why it ended, and what it says is to be done."""

    status: str
    detail: str
    cure: str


def last_fault() -> Fault | None:
    """Of this machine's journal; None where the last start went well, or nobody can tell."""
    try:
        told = subprocess.run(_ASKED, capture_output=True, check=True, timeout=_WITHIN_S)
    except (OSError, subprocess.SubprocessError):
        return None
    return fault_in(told.stdout)


def fault_in(line: bytes) -> Fault | None:
    """What an entry of the journal tells, if it tells of an end."""
    try:
        read: object = json.loads(line)
    except ValueError:
        return None
    if not isinstance(read, dict):
        return None
    entry = cast("dict[str, object]", read)
    if entry.get("BENCHD_EVENT") != "ended_by_fault":
        return None
    words = (entry.get(f"BENCHD_{name}") for name in ("STATUS", "DETAIL", "CURE"))
    status, detail, cure = (word if isinstance(word, str) else "?" for word in words)
    return Fault(status=status, detail=detail, cure=cure)
