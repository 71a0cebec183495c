"""A wake-up for any number of waiting tasks."""

from __future__ import annotations

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
