"""How a benchmark tells its figures: JSON for programs, a table for people."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchd.domain.ids import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a table: what was measured, its figure with the unit, and what to compare."""

    what: str
    figure: str
    beside: str = ""


def say(message: str) -> None:
    """Tell on standard error what is being measured right now."""
    sys.stderr.write(f"benchd bench: {message}\n")
    sys.stderr.flush()


def tell(
    title: str, figures: Mapping[str, JsonValue], lines: Sequence[Line], *, as_json: bool
) -> None:
    """Print the figures as JSON, or the lines as a table."""
    if as_json:
        body = {**figures, "machine": machine()}
        sys.stdout.write(json.dumps(body, indent=2) + "\n")
        return
    table = Table(title=title)
    for heading in ("", "measured", "beside"):
        table.add_column(heading)
    for line in lines:
        table.add_row(line.what, line.figure, line.beside)
    Console().print(table)


def machine() -> dict[str, JsonValue]:
    """What the figures were taken on."""
    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "autogroup": autogroup(),
    }


def autogroup() -> bool:
    """Whether the kernel shares processors by session, which makes nice ineffective between them.

    Source: sched(7), "The autogroup feature".
    """
    switch = Path("/proc/sys/kernel/sched_autogroup_enabled")
    return switch.exists() and switch.read_text(encoding="ascii").strip() == "1"


def ratio(figure: float, base: float) -> str:
    """How many times the base it is."""
    return f"{figure / base:.2f} ×" if base > 0 else "-"
