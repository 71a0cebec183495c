"""The dealer's list of handsets that the police or an owner looks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """IMEIs as they stood in the list when it was read."""

    imeis: frozenset[str] = field(repr=False)
    sha256: str
    """Of the file, as hex: which list it was."""


@dataclass(slots=True, kw_only=True)
class WatchList:
    """A list that is looked into anew for each handset, since its file changes on any day."""

    wanted: Wanted
    """What it says now; whoever looks after its file replaces this."""
    file: Path | None = None
    stamp: tuple[int, ...] = ()
    """By which a change of the file is seen."""
