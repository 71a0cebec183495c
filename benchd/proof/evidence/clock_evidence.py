"""The record of a wall clock that was set back, and by which time something was cited."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.domain.evidence_values import Moment, Positive, Said, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStepEvidence:
    """By how much the wall clock fell behind the monotonic one, and when that was noticed."""

    set_back_s: Seconds
    noticed: Said
    """`running`, or `at_start` for one that happened while no daemon ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeBasis:
    """By which time something with an age was cited, and why that is to be believed."""

    at: Moment
    """The rack's own time then."""
    newest: Moment
    """The latest time that its ledger knew of."""
    after: Positive
    """The newest record then."""
    boot: Said
    """The kernel's id of this boot of the machine."""
    confirmed: Positive | None
    """The record by which somebody has confirmed the time; None where a time source has set it."""
