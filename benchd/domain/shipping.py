"""Whether handsets may leave the house: each certified, and looked at again not long ago."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from benchd.domain.ids import JobId


class ShipStanding(StrEnum):
    """Why a handset may go out, or may not."""

    READY = "ready"
    TOO_OLD = "too_old"
    """Its last look before the sale is older than the recipe of that look says."""
    NOT_RECHECKED = "not_rechecked"
    """Nobody has looked at it since its certificate, or not with its label scanned."""
    ANOTHER_CHIP = "another_chip"
    """The look was at another chip than the one that was certified."""
    NOT_CERTIFIED = "not_certified"
    SPOKEN_AGAINST = "spoken_against"
    """Something was found or said since its certificate."""
    AT_WORK = "at_work"
    HELD = "held"
    """Another system holds it back."""
    SEEN_AGAIN = "seen_again"
    """It was in a later job, or came in again, outside of what was asked for."""
    TWO_HANDSETS = "two_handsets"
    """Its label was scanned at two."""
    CLOCK_IN_DOUBT = "clock_in_doubt"
    """Nobody can say now how old the look is."""
    UNKNOWN_LABEL = "unknown_label"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipLine:
    """One handset, by its label."""

    tag: str
    standing: ShipStanding
    job: JobId | None = None
    """The job of its certificate."""
    rechecked_in: JobId | None = None
    rechecked_at: datetime | None = None
    good_for_days: float | None = None
    """How old the look may be, by its recipe."""
    detail: str = ""
    """The reason, job or system that stands in the way, as a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipCheck:
    """All handsets that are to go out together."""

    at: datetime
    lines: Sequence[ShipLine]

    @property
    def kept_back(self) -> Sequence[ShipLine]:
        """Those that mustn't."""
        return [line for line in self.lines if line.standing is not ShipStanding.READY]

    @property
    def is_ready(self) -> bool:
        """Whether there is anything, and none of it is kept back."""
        return bool(self.lines) and not self.kept_back
