"""Is something plugged in, since when, and may it be away right now?"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from benchd.domain.port import Absence, Attached, Detached
from benchd.domain.wakeup import Wakeup


class Presence:
    """What the port of one occupancy shows; `attached` is None while nothing is there."""

    def __init__(self, attached: Attached, *, debounce_s: float) -> None:
        self.debounce_s = debounce_s
        self.attached: Attached | None = attached
        self.last = attached
        self.window: ReplugWindow | None = None
        self._changed = Wakeup()

    def is_another_plug(self, attached: Attached) -> bool:
        """Whether this is a plug of its own, though no departure was told before it."""
        if self.leaving_allowed:
            return False
        return self.attached is None or attached.attachment != self.last.attachment

    def arrive(self, attached: Attached) -> None:
        """Something is on the port now."""
        self.attached = self.last = attached
        if self.window is not None:
            self.window.note_return(attached)
        self._wake()

    def leave(self, detached: Detached) -> None:
        """Nothing is on the port now."""
        self.attached = None
        if self.window is not None:
            self.window.note_departure(detached)
        self._wake()

    def _wake(self) -> None:
        self._changed.fire()

    @property
    def leaving_allowed(self) -> bool:
        """Whether a planned absence is open."""
        return self.window is not None

    async def changed(self) -> None:
        """Wait for the next arrival or departure."""
        await self._changed.wait()

    @asynccontextmanager
    async def planned_absence(self) -> AsyncGenerator[ReplugWindow, None]:
        """A block in which leaving is expected."""
        if self.window is not None:
            message = "a planned absence is already open"
            raise RuntimeError(message)
        self.window = ReplugWindow(self)
        try:
            yield self.window
        finally:
            self.window = None


class ReplugWindow:
    """An open planned absence; measures it by the times that the port's own events bear."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._before = presence.last
        self._left = False
        self._away_since_s: float | None = None
        self._longest_s: float | None = None

    @property
    def _returned(self) -> bool:
        return self._longest_s is not None and self._presence.attached is not None

    def note_departure(self, detached: Detached) -> None:
        """The handset has left, perhaps not for the first time: a reset may restart it twice."""
        self._left = True
        self._away_since_s = detached.at_s

    def note_return(self, attached: Attached) -> None:
        """Something has come back, or only told more of its interfaces."""
        since_s = self._away_since_s
        if since_s is None:
            if attached.attachment == self._before.attachment:
                return
            # The port told a new enumeration without a departure: an absence of no length.
            since_s = attached.at_s
        self._left = True
        self._away_since_s = None
        self._longest_s = max(self._longest_s or 0.0, attached.at_s - since_s)

    async def departed(self) -> None:
        """Returns once the handset has left."""
        while not self._left:
            await self._presence.changed()

    async def absence(self, *, leave_within_s: float, return_within_s: float) -> Absence:
        """Wait for the departure, then until it's back to stay; each within its own time."""
        with anyio.move_on_after(leave_within_s):
            await self.departed()
        if self._left:
            with anyio.move_on_after(return_within_s):
                await self._back_to_stay()
        returned = self._returned
        return Absence(
            left=self._left,
            returned=returned,
            absent_s=self._longest_s if returned else None,
            before=self._before,
            after=self._presence.attached if returned else None,
        )

    async def _back_to_stay(self) -> None:
        while True:
            while not self._returned:
                await self._presence.changed()
            with anyio.move_on_after(self._presence.debounce_s) as quiet:
                await self._presence.changed()
            if quiet.cancelled_caught and self._returned:
                return
