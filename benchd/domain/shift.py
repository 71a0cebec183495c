"""What a shift has done: counted by handsets, and where it went wrong by jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from benchd.domain.disposal import DisposalState
from benchd.domain.handset_file import JobLine
from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.operator_steps import Attended

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """From `begin` until before `end`, both with their zone."""

    begin: datetime
    end: datetime


class Went(StrEnum):
    """Where a handset's last job of the shift has sent it."""

    SOLD = "sold"
    """Certified, so it may be."""
    RECHECKED = "rechecked"
    """Certified before the shift, and found so by a look before its sale."""
    TO_RETURN = "to_return"
    HELD = "held"
    TO_DESTROY = "to_destroy"
    TRAY = "tray"
    """Pulled out unfinished, or cut short by a stop."""


MAY_BE_SOLD: Final = (Went.SOLD, Went.RECHECKED)
"""Where those have gone that may be sold."""


class FailedBy(StrEnum):
    """What failures are told apart by."""

    MODEL = "model"
    SLOT = "slot"
    REASON = "reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedJob:
    """A job that has ended; None where nothing was recorded."""

    job: JobId
    handset: int
    slot: SlotName
    ended_at: datetime
    outcome: Outcome | None
    disposition: Disposition | None
    reason: Reason | None
    manufacturer: str | None
    model: str | None
    certified: bool
    sold_under: JobId | None
    """Of a passed look: the certified job that its handset is sold under still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One hour of a shift, from its begin; the last may be cut short by the shift's end."""

    begin: datetime
    done: tuple[JobId, ...]
    """The last job of each handset, in the hour in which that has ended."""
    sold: tuple[JobId, ...]
    """Those of them that may be sold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Jobs that failed or were cut short, of one model, in one slot, for one reason."""

    value: str
    """Of a reason its code; blank where none is on record."""
    failed: tuple[JobId, ...]
    ended: int
    """All jobs of this model or slot that have ended; of a reason all of the shift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftFigures:
    """A handset counts once, by the last of its jobs that has ended in the shift.

    A passed look isn't the last where its handset was certified in the same shift.
    """

    shift: Shift
    went: Mapping[Went, tuple[JobId, ...]]
    """The last job of each handset; each value is there."""
    hours: tuple[Hour, ...]
    jobs: int
    """All that have ended."""
    failed: tuple[JobId, ...]
    failures: Mapping[FailedBy, tuple[Failures, ...]]
    """Those with the most first."""
    attended: tuple[Attended, ...]
    """Where the time of people went in these jobs, the most first."""

    @property
    def handsets(self) -> int:
        """How many are done."""
        return sum(map(len, self.went.values()))

    @property
    def share_sold(self) -> float | None:
        """How many of them may be sold; None of no handset."""
        sold = sum(len(self.went[where]) for where in MAY_BE_SOLD)
        return sold / self.handsets if self.handsets else None

    def per_hour(self, now: datetime) -> float | None:
        """Handsets in an hour of what has passed of the shift; None before its first hour is."""
        passed = min(now, self.shift.end) - self.shift.begin
        return self.handsets / (passed / HOUR) if passed >= HOUR else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """How many handsets wait for somebody in one state, and the one that waits longest."""

    state: DisposalState
    handsets: int
    oldest: JobLine | None
