"""Virtual chips as they come in, what a clear makes of them, how a reader fails. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class ClearStory(StrEnum):
    """What happens when somebody has this chip cleared."""

    WORKS = "works"
    LIES = "lies"
    """"Done", and nothing is gone."""
    SWAPS = "swaps"
    """Done, and what lies on the reader afterwards is another handset's chip."""
    RETRY_ONCE = "retry_once"
    """Nothing the first time, for a reason that passes; then it works."""
    HALFWAY = "halfway"
    """Part of it the first time; then it works."""
    UNSUPPORTED = "unsupported"
    NEEDS_OPERATOR = "needs_operator"
    FATAL = "fatal"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipPlan:
    """One chip as it comes in; kinds and profiles are those of profiles.toml."""

    ic_type: str = "18"
    profile: str = "cleared"
    silent: bool = False
    """It doesn't answer: locked, switched off or badly placed."""
    retired: bool = False
    """It was made useless at disposal; taken to be silent from then on, as nobody has published
    what such a chip does. Only the handset's own screen tells."""
    clear: ClearStory = ClearStory.WORKS
    clear_s: float = 0.5
    """How long a clear takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPlan:
    """A chip that is in no handset: a card that somebody may forget on a reader."""

    name: str
    chip: ChipPlan = field(default_factory=ChipPlan)
    slot: int | None = None
    """On whose reader it lies when the rack starts; None leaves it on the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderFaults:
    """What a reader does wrong from now on."""

    hang: bool = False
    """It never answers an exchange; that a card is there it still says."""
    slow_s: float = 0.0
    """How much longer it takes for each exchange."""
    status_word: str | None = None
    """Four hex digits that it answers to every exchange, and nothing before them."""
    silent_after: int | None = None
    """After so many exchanges the chip says nothing, though it lies there still."""
    silent_count: int | None = None
    """To how many exchanges; None is all that follow."""
    leave_after: int | None = None
    """After so many exchanges the chip is taken away in the middle of the next."""

    def swallows(self, number: int) -> bool:
        """Whether the exchange with this number, from 0 on, is met with silence."""
        if self.silent_after is None or number < self.silent_after:
            return False
        return self.silent_count is None or number < self.silent_after + self.silent_count
