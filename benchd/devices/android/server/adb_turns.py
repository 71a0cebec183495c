"""Turns at what all handsets share: the one that was here first goes first.

Where everybody gets a little, 256 handsets that are plugged in at once all begin at the end. In
turn, the first are done while the last still wait, and nobody is later than otherwise. Each fourth
turn goes to whoever has waited longest: the first can't keep the others waiting for ever.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import anyio

FOR_THE_LONGEST_WAITING: Final = 4
"""Each turn of so many."""


@dataclass(order=True, slots=True)
class _Waiting:
    order: int
    arrival: int
    called: anyio.Event = field(compare=False, default_factory=anyio.Event)
    gone: bool = field(compare=False, default=False)
    """Whether nobody waits here any more: called, or given up."""


class Turns:
    """So many at once; each who waits is called exactly once, or has left."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._arrivals = 0
        self._calls = 0
        self._in_order: list[_Waiting] = []
        self._by_arrival = deque[_Waiting]()

    @asynccontextmanager
    async def turn(self, order: int) -> AsyncGenerator[None, None]:
        """Wait for a turn and keep it for the block; who has the lowest order goes first."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(order)
        try:
            yield
        finally:
            self._call_next()

    async def _wait(self, order: int) -> None:
        self._arrivals += 1
        waiting = _Waiting(order, self._arrivals)
        heapq.heappush(self._in_order, waiting)
        self._by_arrival.append(waiting)
        try:
            await waiting.called.wait()
        except BaseException:
            if waiting.gone:
                self._call_next()  # It was called in the very moment in which it left.
            waiting.gone = True
            raise

    def _call_next(self) -> None:
        self._calls += 1
        longest = self._calls % FOR_THE_LONGEST_WAITING == 0
        while self._by_arrival if longest else self._in_order:
            waiting = self._by_arrival.popleft() if longest else heapq.heappop(self._in_order)
            if not waiting.gone:
                waiting.gone = True
                waiting.called.set()
                return
        self._free += 1
        self._in_order.clear()
        self._by_arrival.clear()
