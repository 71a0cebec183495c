"""What was seen of the reset that readies a handset for sale, until a second person confirms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from benchd.domain.evidence_values import Moment, Seconds
from benchd.domain.handset import StandingFacts, facts_of
from benchd.domain.screen import OpenedPage
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.proof.evidence.people_evidence import DecisionEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsAgainEvidence(StandingFacts):
    """Who the handset is and what gates refuse by, read again right before its last reset."""

    at: Moment
    """When it was read the last time."""
    before_reset_s: Seconds
    """How long it was still in its port from then on."""

    @classmethod
    def of(cls, facts: StandingFacts, *, at: datetime, before_reset_s: float) -> FactsAgainEvidence:
        """What the reading puts on record."""
        return facts_of(cls, facts, at=at, before_reset_s=before_reset_s)


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
    facts_again: FactsAgainEvidence | None = None
    """None in older forms, where nobody read them again."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAgain:
    """A later answer at `observe`, with a look at the chip as there."""

    answer: DecisionEvidence
    chip: ChipEvidence | None = None
    """None where no reader saw one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmEvidence:
    """Stage `confirm`: the second person's answer."""

    answer: DecisionEvidence
    again: LookAgain | None = None
    """The last look, where the one of `observe` had become too old."""
    numbers: tuple[str, ...] = ()
    """The IMEIs of the handset that are proven by now: told over adb, or read twice by two people,
    the second time after the last reset."""
    second_number: str | None = None
    """An IMEI that its screen showed now or since the gates, and that isn't of their numbers."""
