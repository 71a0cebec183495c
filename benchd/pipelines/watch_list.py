"""The dealer's list of handsets that the police or an owner looks for."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchList:
    """IMEIs as they stood in the file when the daemon read it."""

    imeis: frozenset[str] = field(repr=False)
    sha256: str
    """Of the file, as hex: which list it was."""
