"""All handsets of the crowd: what hands, cables and the adb server's end do to them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from benchd.lab.benchmarks.crowd.crowd_handset import CrowdHandset
from benchd.lab.benchmarks.crowd.crowd_pace import CrowdPace, Drawn
from benchd.lab.benchmarks.crowd.crowd_socket import CrowdSocket
from benchd.lab.benchmarks.crowd.floods import EVERY_S, LISTS_PER_S, Flood
from benchd.lab.benchmarks.crowd.shells import Shells
from benchd.lab.simulator.plan import HandsetPlan
from benchd.lab.simulator.plug_board import PlugBoard

PLUG_EVERY_S: Final = 0.005
LISTS_A_REPLUG: Final = 4
"""Offline, gone, offline, there again."""


class Crowd:
    """Its handsets by number, which is their slot's."""

    def __init__(self, plans: Sequence[HandsetPlan], pace: CrowdPace) -> None:
        self.handsets = {n: CrowdHandset.of(plan, n) for n, plan in enumerate(plans, 1)}
        self.not_understood: set[str] = set()
        self.drawn = Drawn(pace)
        self.board = PlugBoard(secrets.token_hex(4))
        self.door = CrowdSocket(Shells(self.drawn, self._test_harness, self.not_understood))
        self._tasks: set[asyncio.Task[None]] = set()
        self._down = False

    async def plug(self, numbers: Sequence[int], within_s: float) -> None:
        """Put them in one after the other, all within this time."""
        begun = time.monotonic()
        for place, number in enumerate(numbers):
            due = begun + within_s * place / len(numbers)
            if due - time.monotonic() > PLUG_EVERY_S:
                await asyncio.sleep(due - time.monotonic())
            self._appear(self.handsets[number])

    def unplug(self, numbers: Sequence[int]) -> None:
        """Pull their cables, at once."""
        for number in numbers:
            self._vanish(self.handsets[number])

    async def end_server(self, down_s: float) -> None:
        """Let the adb server die, and another take its place after this time."""
        self._down = True
        await self.door.die()
        await asyncio.sleep(down_s)
        await self.door.open()
        self._down = False
        for handset in self.handsets.values():
            if handset.attached and handset.adb_enabled:
                self.door.come(handset)

    def flood(self, number: int, kind: Flood) -> None:
        """From now on this one floods its host."""
        handset = self.handsets[number]
        handset.flood = kind
        if kind is Flood.FLAPS:
            self._begin(self._flap(handset))

    async def _flap(self, handset: CrowdHandset) -> None:
        while True:
            if handset.transport_id is not None and not self._down:
                for _ in range(int(LISTS_PER_S * EVERY_S / LISTS_A_REPLUG)):
                    self.door.leave(handset)
                    self.door.come(handset)
            await asyncio.sleep(EVERY_S)

    def reset_by_hand(self, number: int) -> None:
        """Reset it from its settings: it leaves, and comes back without adb."""
        self._begin(self._reset(self.handsets[number], test_harness=False))

    def enable_adb(self, number: int) -> None:
        """Switch debugging on; a handset enumerates anew for it."""
        handset = self.handsets[number]
        if not handset.adb_enabled:
            present = handset.attached
            self._vanish(handset)
            handset.adb_enabled = True
            if present:
                self._appear(handset)

    async def _test_harness(self, handset: CrowdHandset) -> None:
        self._begin(self._reset(handset, test_harness=True))

    async def _reset(self, handset: CrowdHandset, *, test_harness: bool) -> None:
        pace = self.drawn.pace
        await asyncio.sleep(self.drawn.around(pace.shutdown_s))
        self._vanish(handset)
        handset.reset(test_harness=test_harness)
        away_s = self.drawn.around(pace.away_s)
        await asyncio.sleep(away_s)
        self.board.skip(handset.number, max(0.0, pace.reset_s - away_s))
        self._appear(handset)

    def _appear(self, handset: CrowdHandset) -> None:
        if handset.attached:
            return
        handset.attached = True
        handset.moments.attached = handset.moments.attached or time.time()
        self.board.attach(handset.plan, handset.number, adb=handset.adb_enabled)
        if not handset.adb_enabled or self._down:
            return
        if self.drawn.pace.connect_s:
            self._begin(self._connect(handset))
        else:
            self.door.come(handset)

    async def _connect(self, handset: CrowdHandset) -> None:
        await asyncio.sleep(self.drawn.around(self.drawn.pace.connect_s))
        if handset.attached and handset.transport_id is None and not self._down:
            self.door.come(handset)

    def _vanish(self, handset: CrowdHandset) -> None:
        if handset.attached:
            handset.attached = False
            self.board.detach(handset.number)
            self.door.leave(handset)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
