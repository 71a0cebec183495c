"""Answer of `/proc/uptime`: how long ago the handset was started, its sleep included."""

from __future__ import annotations

import re
from typing import Final

from benchd.android.shell.text import lines_of

_UPTIME: Final = re.compile(r"([0-9]{1,9})\.[0-9]{2} [0-9]{1,12}\.[0-9]{2}")
"""Source: proc_pid_uptime(5): seconds up, and seconds that all processors were idle."""


def read_uptime(text: str) -> int | None:
    """Whole seconds; None where the shell may not read it, or it is anything else."""
    lines = lines_of(text)
    found = _UPTIME.fullmatch(lines[0]) if len(lines) == 1 else None
    return int(found[1]) if found else None
