"""How much is logged, which an administrator may change for a while at run time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import anyio
import structlog

from benchd.domain.ids import SlotName
from benchd.domain.log_level import LogLevel, MoreLogged
from benchd.domain.wakeup import Wakeup

RACK: Final = None
"""The key of what holds for every slot."""

_log = structlog.get_logger()


class LogLevels:
    """What is logged at `debug`, and until when; everything else at `info`.

    The clock alone decides whether a line is let through: `run` only tells that it's over.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` tells seconds of a clock that nobody sets, from any thread."""
        self._now = now
        self._until: dict[SlotName | None, float] = {}
        self._changed = Wakeup()

    def change(self, level: LogLevel, slot: SlotName | None, for_s: float) -> None:
        """Log everything of a slot or of the rack for so long; `info` takes it back.

        Without a slot `info` takes everything back, of single slots too.
        """
        if level is LogLevel.DEBUG:
            self._until = {**self._until, slot: self._now() + for_s}
        elif slot is RACK:
            self._until = {}
        else:
            self._until = {key: until for key, until in self._until.items() if key != slot}
        self._changed.fire()

    def in_effect(self) -> Sequence[MoreLogged]:
        """Of what everything is logged now: the rack first, then slots by name."""
        now = self._now()
        lasting = [(slot, until - now) for slot, until in self._until.items() if until > now]
        return [
            MoreLogged(slot=slot, left_s=left)
            for slot, left in sorted(lasting, key=lambda one: one[0] or "")
        ]

    def lets_through(self, level: str, slot: object) -> bool:
        """Whether a line of this level about this slot is logged; None is about no slot."""
        if level != LogLevel.DEBUG:
            return True
        ends = [until for of, until in self._until.items() if of in (RACK, slot)]
        return bool(ends) and max(ends) > self._now()

    async def run(self) -> None:
        """Tell of each that falls back, until cancelled."""
        while True:
            next_s = min(self._until.values(), default=None)
            left_s = None if next_s is None else max(0.0, next_s - self._now())
            with anyio.move_on_after(left_s):
                await self._changed.wait()
            self._tell_over()

    def _tell_over(self) -> None:
        now = self._now()
        for slot, until in list(self._until.items()):
            if until <= now:
                self._until = {key: at for key, at in self._until.items() if key != slot}
                _log.info("log_level_back", slot=slot)
