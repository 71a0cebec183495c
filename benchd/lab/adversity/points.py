"""The points that a slot passes at its work, and the blows that wait there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio

from benchd.domain.errors import HandsetGone, HandsetStalled, TransientFault
from benchd.lab.adversity.kinds import Kind
from benchd.lab.adversity.schedule import Blow

STALL_S = 60.0
"""Silence for so long is a stalled handset, whoever asked."""

Striker = Callable[[Blow], None]


@dataclass(slots=True)
class Trouble:
    """What a point does to whoever passes it."""

    hang_s: float = 0.0
    fault: Exception | None = None

    async def befall(self) -> None:
        """Let it happen."""
        if self.hang_s:
            await anyio.sleep(min(self.hang_s, STALL_S))
        if self.hang_s > STALL_S:
            raise HandsetStalled("it said nothing for too long")
        if self.fault is not None:
            raise self.fault


class Points:
    """Counts who passes where, and strikes when it's time."""

    def __init__(self, blows: Sequence[Blow], striker: Striker) -> None:
        self._waiting: dict[tuple[str, str, int], list[Blow]] = {}
        for blow in blows:
            self._waiting.setdefault((blow.slot, blow.point, blow.nth), []).append(blow)
        self._passed: Counter[tuple[str, str]] = Counter()
        self._striker = striker
        self.struck: list[Blow] = []
        self.calm = False
        """Whether the storm is over."""

    def passes(self, slot: str, point: str) -> Trouble:
        """A slot passes a point: what waits there strikes."""
        self._passed[slot, point] += 1
        trouble = Trouble()
        for blow in self._waiting.pop((slot, point, self._passed[slot, point]), ()):
            if self.calm:
                continue
            self.struck.append(blow)
            match blow.kind:
                case Kind.TRANSIENT:
                    trouble.fault = TransientFault("a blow")
                case Kind.GONE:
                    trouble.fault = HandsetGone("a blow")
                case Kind.HANG | Kind.LEDGER_SLOW:
                    trouble.hang_s += blow.lasts_s
                case _:
                    self._striker(blow)
        return trouble
