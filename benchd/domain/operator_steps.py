"""Where people's time goes: the steps in which a slot waits for somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from benchd.domain.job import StageName

LONGEST: Final = timedelta(minutes=30)
"""What takes longer is a break, a night or a weekend: it is counted, its time isn't."""


class BetweenJobs(StrEnum):
    """Steps that belong to no stage."""

    PLUGGING = "plugging"
    """From the plug of a handset until its job begins: adb allowed, the port quiet."""
    CHANGING = "changing"
    """From the end of a job until the next handset is in its slot."""


AttendedStep = StageName | BetweenJobs


def step_of(word: str) -> AttendedStep:
    """The step of this name; raises ValueError for one that isn't known."""
    return BetweenJobs(word) if word in list(BetweenJobs) else StageName(word)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """How long slots have waited for people in one step, over some jobs.

    Somebody who serves several slots at once counts in each: these are minutes of slots.
    """

    step: AttendedStep
    handsets: int
    """Those of which a slot has waited in this step."""
    waits: int
    """Stretches of at most `LONGEST`."""
    seconds: float
    """Their sum."""
    breaks: int
    """Longer ones, whose time isn't in it."""

    @property
    def seconds_each(self) -> float:
        """Seconds for each handset."""
        return self.seconds / self.handsets
