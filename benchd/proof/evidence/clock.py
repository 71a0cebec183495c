"""The record of a wall clock that was set back."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.proof.evidence.values import Said, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStepEvidence:
    """By how much the wall clock fell behind the monotonic one, and when that was noticed."""

    set_back_s: Seconds
    noticed: Said
    """`running`, or `at_start` for one that happened while no daemon ran."""
