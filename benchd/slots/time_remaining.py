"""How long a handset still keeps machines busy, from what its rack has taken for others."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from statistics import median
from types import MappingProxyType
from typing import Final

import anyio

from benchd.domain.job import Outcome, StageName
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState

REMEMBERED: Final = 15
"""Ends of a stage that count: a rack's handsets change from lot to lot."""

OF_STORAGE: Final = frozenset({StageName.OVERWRITE, StageName.READ_BACK})
"""What takes the longer, the more there is to write or read."""

FIRST_GUESS_S: Final[Mapping[StageName, float]] = MappingProxyType(
    {StageName.INITIALISE: 90.0, StageName.FINAL_RESET: 90.0}
)
"""Until the rack has seen one: a reset with its restart. Every other stage is short."""

_PEOPLES: Final = frozenset({SlotState.WAITING, SlotState.AWAITING_OPERATOR, SlotState.QUARANTINED})


class Pace:
    """What stages have lately taken of machines' time, over all slots of a rack."""

    def __init__(self) -> None:
        self._took: dict[StageName, deque[float]] = {}

    def took(self, stage: StageName, seconds: float, capacity_bytes: int | None) -> None:
        """A stage has ended; what grows with the storage is kept by its capacity."""
        if stage in OF_STORAGE:
            if not capacity_bytes:
                return
            seconds /= capacity_bytes
        self._took.setdefault(stage, deque(maxlen=REMEMBERED)).append(seconds)

    def expects(self, stage: StageName, capacity_bytes: int | None) -> float | None:
        """Seconds of this stage; None where nobody can tell."""
        seen = self._took.get(stage)
        if stage not in OF_STORAGE:
            return median(seen) if seen else FIRST_GUESS_S.get(stage, 0.0)
        if not seen or not capacity_bytes:
            return None
        return median(seen) * capacity_bytes


class Forecast:
    """One job: which stage it's in, for how long machines have worked on it, and what comes."""

    def __init__(self, pace: Pace, stages: Sequence[StageName]) -> None:
        self._pace = pace
        self._stages = stages
        self._stage: StageName | None = None
        self._worked_s = 0.0
        self._works_since: float | None = None
        self.capacity_bytes: int | None = None

    def turned(self, view: SlotView) -> None:
        """The slot has come to something else: another stage, a person's turn, the end."""
        self._count()
        if view.stage is not self._stage:
            self._ended()
            self._stage = view.stage
        elif view.outcome is Outcome.PASSED:
            self._ended()
        self._works_since = None if view.state in _PEOPLES else anyio.current_time()

    def left_s(self, eta_s: float | None) -> float | None:
        """Seconds of machines' time until the job is done; None where nobody can tell."""
        if self._stage not in self._stages:
            return None
        now = self._now_s(eta_s)
        if now is None:
            return None
        later = self._stages[self._stages.index(self._stage) + 1 :]
        left_s = now
        for stage in later:
            expected = self._pace.expects(stage, self.capacity_bytes)
            if expected is None:
                return None
            left_s += expected
        return left_s

    def _now_s(self, eta_s: float | None) -> float | None:
        if eta_s is not None:
            return eta_s
        if self._stage is None:
            return None
        expected = self._pace.expects(self._stage, self.capacity_bytes)
        return None if expected is None else max(0.0, expected - self._so_far_s())

    def _so_far_s(self) -> float:
        since = self._works_since
        return self._worked_s + (0.0 if since is None else anyio.current_time() - since)

    def _count(self) -> None:
        self._worked_s, self._works_since = self._so_far_s(), None

    def _ended(self) -> None:
        """What wasn't done says nothing of how long it takes."""
        if self._stage is not None:
            self._pace.took(self._stage, self._worked_s, self.capacity_bytes)
        self._worked_s = 0.0
