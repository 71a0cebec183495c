"""What printers of labels are, and how a label ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from benchd.domain.errors import BenchdError
from benchd.domain.ids import JobId


class PrinterTrouble(StrEnum):
    """Why a printer takes nothing."""

    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    """It is reached, but doesn't say how it is, or doesn't take what it is sent."""
    BROKE_OFF = "broke_off"
    """It went away in the middle of a label."""
    ATTENTION = "attention"
    """It waits for a person itself: no paper, no ribbon, head open, paused, queue stopped."""


class PrinterFault(BenchdError):
    """Raised when a printer hasn't taken a label.

    Whether a part of it was `begun` to be sent decides whether it may be sent once more: two labels
    of one handset are worse than none.
    """

    def __init__(self, trouble: PrinterTrouble, *, begun: bool = False) -> None:
        super().__init__(f"the printer hasn't taken the label: {trouble}")
        self.trouble = trouble
        self.begun = begun


class LabelEnd(StrEnum):
    """What became of a label that was to be printed."""

    SENT = "sent"
    """The printer has taken all of it; no printer says that it came out."""
    BROKE_OFF = "broke_off"
    """Nobody knows how much of it came out: it isn't sent again by itself."""
    TOO_LATE = "too_late"
    """The printer took nothing for as long as a label waits."""
    CROWDED_OUT = "crowded_out"
    """Too many waited already."""
    REPLACED = "replaced"
    """The same handset has a newer one, or runs again."""
    NOT_MADE = "not_made"
    """It couldn't be set, which is a mistake of benchd."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrinterView:
    """How a printer is doing."""

    name: str
    waiting: int
    """Labels that it hasn't taken yet."""
    trouble: PrinterTrouble | None
    newest: JobId | None
    """The job of the label that it was sent last."""
