"""What can be wrong with a chip's answer; a scan turns each into a verdict, none leaves it."""

from __future__ import annotations

from benchd.domain.errors import BenchdError


class ChipFault(BenchdError):
    """Base of what a chip says wrongly; the text is one bounded, printable line."""


class FrameInvalid(ChipFault):
    """Raised when bytes aren't exactly one answer to the command that was sent."""


class AnotherChip(ChipFault):
    """Raised when the IDm of an answer isn't the one that was asked, or two chips answer."""


class StatusRefused(ChipFault):
    """Raised when a chip refuses a command; what the flags mean differs between products."""

    def __init__(self, *, flag1: int, flag2: int) -> None:
        super().__init__(f"refused with status flags {flag1:02X} {flag2:02X}")
        self.flag1 = flag1
        self.flag2 = flag2


class NotHandsetChip(ChipFault):
    """Raised when what answers is a card or a token, not a handset's chip."""


class NodeListInvalid(ChipFault):
    """Raised when a list of nodes doesn't end, repeats itself or isn't a tree."""


class ChipFellSilent(ChipFault):
    """Raised when a chip that has answered doesn't any more."""


class ScanTooLong(ChipFault):
    """Raised when a chip answers so slowly that its scan has to be given up."""


class DataFileInvalid(BenchdError):
    """Raised with every mistake of a catalogue or baseline file at once, each at its key."""

    exit_code = 2

    def __init__(self, file: str, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(f"{file}: {mistake}" for mistake in mistakes))
        self.file = file
        self.mistakes = mistakes
