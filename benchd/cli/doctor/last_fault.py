"""Why the daemon's last start failed, or why it had to end, by the journal.

It leaves a line itself, but where systemd couldn't even begin it: then systemd does.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

_NOT_BEGUN: Final = "641257651c1b4ec9a8624d7a40a9e1e7"
"""SD_MESSAGE_SPAWN_FAILED of systemd's sd-messages.h."""
_JOURNAL: Final = ("journalctl", "--quiet", "--reverse", "--output=json")
_NEWEST: Final = (
    "--lines=1",
    *("_SYSTEMD_UNIT=benchd.service", "BENCHD_EVENT=ended_by_fault", "BENCHD_EVENT=ready"),
    *("+", "UNIT=benchd.service", f"MESSAGE_ID={_NOT_BEGUN}"),
)
"""The newest of these: since it was ready, nothing has ended it."""
_WITHIN_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why it ended, and what it says is to be done."""

    detail: str
    status: str | None = None
    cure: str | None = None
    """None where systemd couldn't begin it: by what the unit names."""


Asked = Callable[[Sequence[str]], bytes]


def ask_journal(matches: Sequence[str]) -> bytes:
    """The entries that match, the newest first, one a line; none where nobody can tell."""
    asked = [*_JOURNAL, *matches]
    try:
        return subprocess.run(asked, capture_output=True, check=True, timeout=_WITHIN_S).stdout
    except (OSError, subprocess.SubprocessError):
        return b""


def last_fault(ask: Asked = ask_journal) -> Fault | None:
    """Of this machine's journal; None where the last start went well, or nobody can tell."""
    found = _entries(ask(_NEWEST))
    if not found:
        return None
    entry = found[0]
    if entry.get("MESSAGE_ID") == _NOT_BEGUN:
        return _not_begun(entry, ask)
    if entry.get("BENCHD_EVENT") != "ended_by_fault":
        return None
    words = (entry.get(f"BENCHD_{name}") for name in ("STATUS", "DETAIL", "CURE"))
    status, detail, cure = (word if isinstance(word, str) else "?" for word in words)
    return Fault(status=status, detail=detail, cure=cure)


def _not_begun(entry: Mapping[str, object], ask: Asked) -> Fault:
    """What systemd says of a step that failed, and before that, of the same process, why."""
    process = ("PRIORITY=3", f"_PID={entry.get('_PID')}")
    invocation = f"INVOCATION_ID={entry.get('INVOCATION_ID')}"
    said = [str(each.get("MESSAGE")) for each in _entries(ask((invocation, *process)))]
    return Fault(detail="; ".join(reversed(said)) or str(entry.get("MESSAGE")))


def _entries(lines: bytes) -> list[dict[str, object]]:
    try:
        read: list[object] = [json.loads(line) for line in lines.splitlines()]
    except ValueError:
        return []
    return [cast("dict[str, object]", each) for each in read if isinstance(each, dict)]
