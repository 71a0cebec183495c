"""How much is logged, and for how long more than usual."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from benchd.domain.ids import SlotName

USUAL_S: Final = 600.0
"""For how long more is logged unless somebody says otherwise."""
LONGEST_S: Final = 86_400.0
"""Nobody fills the journal for longer by forgetting it."""


class LogLevel(StrEnum):
    """Less than `info` would hide what happens to handsets, so there is nothing below."""

    INFO = "info"
    DEBUG = "debug"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreLogged:
    """That everything is logged: of one slot, or of the whole rack."""

    slot: SlotName | None
    left_s: float
