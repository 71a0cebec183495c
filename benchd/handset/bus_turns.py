"""Turns on the cable: handsets on one USB controller share its bus, piece by piece and fairly."""

from __future__ import annotations

from types import TracebackType
from typing import Final

import anyio

from benchd.model import AdbAddress

AT_ONCE: Final = 4
"""Pieces on the way at once: enough to keep a bus busy while one handset is slow."""


class BusTurns:
    """Gives every bus of the machine its own queue, first come, first served."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._buses: dict[str, anyio.Semaphore] = {}

    def of(self, address: AdbAddress) -> BusTurn:
        """The turns of a handset: `usb:1-1.4` stands on bus 1."""
        bus = address.partition("-")[0] if address.startswith("usb:") else address
        if bus not in self._buses:
            # Without it a task would yield at every piece, also when nobody waits.
            self._buses[bus] = anyio.Semaphore(self._at_once, fast_acquire=True)
        return BusTurn(self._buses[bus])


class BusTurn:
    """One handset's turns: `async with turn:` around each piece."""

    def __init__(self, queue: anyio.Semaphore) -> None:
        self._queue = queue

    async def __aenter__(self) -> None:
        await self._queue.acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace
        self._queue.release()
