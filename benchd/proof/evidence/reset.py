"""What was seen of the reset that readies a handset for sale."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.proof.evidence.chip import ChipEvidence
from benchd.proof.evidence.people import DecisionEvidence
from benchd.proof.evidence.values import Seconds
from benchd.words.screen import OpenedPage


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalResetEvidence:
    """Stage `final_reset`: how the handset left its port and came back."""

    method: str
    answer: DecisionEvidence | None
    """None where the port told sooner than anybody that the reset had begun."""
    absent_s: Seconds | None
    interfaces_before: tuple[str, ...]
    interfaces_after: tuple[str, ...]
    attachment_before: str
    attachment_after: str
    page: OpenedPage | None = None
    """What was opened on the handset for whoever had to reset it; it proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveEvidence:
    """Stage `observe`: which kinds of evidence there are that the reset took place."""

    kinds: tuple[str, ...]
    absent_s: Seconds | None
    minimum_absence_s: Seconds
    interfaces_after: tuple[str, ...]
    answer: DecisionEvidence
    chip: ChipEvidence | None = None
    """The look at the chip after the reset; None where no reader saw one before."""
