"""Stage `confirm`: the second person's answer, and what was looked at once more before it."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.proof.evidence.chip import ChipEvidence
from benchd.proof.evidence.people import DecisionEvidence


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
