"""Wake-ups for waiting tasks."""

from __future__ import annotations

from collections.abc import Callable

import anyio


class Wakeup:
    """Each call of `fire` wakes everybody who waits at that moment."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def fire(self) -> None:
        """Wake all who wait now; who waits later waits for the next call."""
        due, self._event = self._event, anyio.Event()
        due.set()

    async def wait(self) -> None:
        """Return after the next `fire`."""
        await self._event.wait()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once this holds, which is looked at now and after every `fire`."""
        while not holds():
            await self.wait()


class Bell:
    """What was asked for while its one servant was busy is kept, as one request."""

    def __init__(self) -> None:
        self._rung = anyio.Event()

    def ring(self) -> None:
        """Ask the servant to come; it comes at once, or when it is done with what it does."""
        self._rung.set()

    async def wait(self) -> None:
        """Return once somebody has rung since the last return."""
        await self._rung.wait()
        self._rung = anyio.Event()
