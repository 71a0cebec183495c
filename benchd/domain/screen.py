"""What is done on a handset's screen to spare a person some touches; none of it is a proof."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Page(StrEnum):
    """A page of a handset's own settings that the next question is about."""

    RESET = "reset"
    ABOUT = "about"
    """Where its IMEI and its serial stand."""


class ScreenOutcome(StrEnum):
    """How it went when a handset was asked for something that nothing depends on."""

    DONE = "done"
    """By its own word, which nobody has checked."""
    NOT_NEEDED = "not_needed"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    """It was away, silent or too slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPage:
    """What became of opening a page."""

    page: Page
    outcome: ScreenOutcome
    way: str | None = None
    """What Android was asked for when it said that it opens it: a page's name or a component's."""
    woken: bool = False
    """Whether the screen could be woken before."""
