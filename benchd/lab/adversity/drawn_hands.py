"""What people and handsets do by themselves: resets, restarts, cables. It takes its time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import anyio
from anyio.abc import TaskGroup

from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.points import Points
from benchd.lab.adversity.truth import Truth, digest

RESET_S: Final = 45.0
RESTART_S: Final = 30.0
NFC_BACK_ON_S: Final = 60.0
AWAY: Final = "reset_away"
"""The point at which a handset is off the bus for its reset."""


class Hands:
    """Everything that goes on whether a daemon looks or not."""

    def __init__(self, group: TaskGroup, points: Points) -> None:
        self._group = group
        self._points = points
        self.busy = 0
        self.keys: dict[str, bytes] = {}
        """Every key that was ever drawn, by its digest: which keystream an extent holds."""

    def drew(self, key: bytes) -> None:
        """Remember a key, for those who look at what lies in a flash."""
        self.keys[digest(key)] = key

    def begin(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something that takes its time."""
        self.busy += 1
        self._group.start_soon(self._to_its_end, work)

    async def _to_its_end(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        finally:
            self.busy -= 1

    def begin_reset(self, bay: Bay, *, keeps_adb: bool, real: bool = True) -> None:
        """The handset that lies there resets itself, or goes through the motions."""
        truth = bay.handset
        if truth is None or not bay.attached:
            return
        if real:
            truth.reset(keeps_adb=keeps_adb)
        else:
            truth.android_id = digest(f"{truth.name}{truth.android_id}")[:16]
            truth.restart(keeps_adb=keeps_adb)
        self.begin(lambda: self._away(bay, truth, RESET_S))

    def begin_restart(self, bay: Bay) -> None:
        """Somebody switches debugging off, and restarts what lies there."""
        truth = bay.handset
        if truth is not None and bay.attached:
            truth.restart(keeps_adb=False)
            self.begin(lambda: self._away(bay, truth, RESTART_S))

    async def _away(self, bay: Bay, truth: Truth, absent_s: float) -> None:
        bay.leave()
        await anyio.sleep(absent_s / 2)
        self._points.passes(bay.slot, AWAY)
        await anyio.sleep(absent_s / 2)
        if bay.handset is truth and not bay.attached:
            bay.come()

    def begin_switching_back(self, truth: Truth) -> None:
        """A handset whose NFC was switched off over adb switches it on again."""

        async def switch_back() -> None:
            await anyio.sleep(NFC_BACK_ON_S)
            truth.switch_nfc(on=True)

        self.begin(switch_back)

    def begin_putting_in(self, bay: Bay, handset: Truth, after_s: float) -> None:
        """Somebody puts a handset into a slot, if it's still free by then."""

        async def put_in() -> None:
            await anyio.sleep(after_s)
            if bay.handset is None:
                bay.put_in(handset)

        self.begin(put_in)
