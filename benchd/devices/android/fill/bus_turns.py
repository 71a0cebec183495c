"""Turns on the cable: handsets on one USB controller share its bus, piece by piece and fairly."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final

import anyio

from benchd.devices.android.adb import AdbAddress

STREAMS_PER_BUS: Final = 4
"""Pieces on the way at once: enough to keep a bus busy while one handset is slow."""
LONGEST_TURN_S: Final = 1.0
"""Who takes longer than this goes on without a turn: a handset that hangs blocks nobody."""


class BusTurns:
    """Gives every bus of the machine its own queue, first come, first served."""

    def __init__(self, at_once: int = STREAMS_PER_BUS) -> None:
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
    """One handset's turns: `async with turn:` around each piece, one piece at a time."""

    def __init__(self, queue: anyio.Semaphore) -> None:
        self._queue = queue
        self._lapse: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        await self._queue.acquire()
        loop = asyncio.get_running_loop()
        self._lapse = loop.call_later(LONGEST_TURN_S, self._give_back)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace
        if self._lapse is not None:
            self._lapse.cancel()
            self._give_back()

    def _give_back(self) -> None:
        self._lapse = None
        self._queue.release()
