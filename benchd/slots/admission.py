"""Whether new jobs may begin, how many are running, and which wait after a restart."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import anyio

from benchd.domain.slot import ProblemCode
from benchd.domain.wakeup import Wakeup


class Admission:
    """The door that every job goes through, and again before it first destroys anything."""

    def __init__(self) -> None:
        self.running = 0
        self._held_for: dict[ProblemCode, None] = {}
        self._closed = anyio.Event()
        self._paused_until = -math.inf
        self._changed = Wakeup()

    @property
    def closed(self) -> bool:
        """Whether no new job may begin."""
        return self._closed.is_set()

    def close(self) -> None:
        """Let no new job begin; those that run go on."""
        self._closed.set()
        self._changed.fire()

    @property
    def paused(self) -> bool:
        """Whether no job may begin for a while."""
        return anyio.current_time() < self._paused_until

    def pause(self, for_s: float) -> None:
        """Let no job begin for so many seconds from now; 0 ends it. Those that run go on whole."""
        self._paused_until = anyio.current_time() + for_s
        self._changed.fire()

    @property
    def begins_not_for(self) -> ProblemCode | None:
        """Why a job that isn't begun has to wait."""
        return self.held_for or (ProblemCode.DAEMON_PAUSED if self.paused else None)

    @property
    def held_for(self) -> ProblemCode | None:
        """Why no new job may begin for now; the oldest of several reasons."""
        return next(iter(self._held_for), None)

    def hold(self, code: ProblemCode) -> None:
        """Let no job begin until `release`, and none begin to destroy; what is begun goes on."""
        self._held_for.setdefault(code)
        self._changed.fire()

    def release(self, code: ProblemCode) -> None:
        """Let jobs begin again, as far as this was the reason."""
        self._held_for.pop(code, None)
        self._changed.fire()

    async def changed(self) -> None:
        """Wait until the door is held, released or closed, a pause or a job has ended.

        A pause that has ended since the caller looked counts as well.
        """
        until = self._paused_until
        left_s = math.inf if until == -math.inf else until - anyio.current_time()
        with anyio.move_on_after(left_s) as pause:
            await self._changed.wait()
        if pause.cancelled_caught and self._paused_until == until:
            self._paused_until = -math.inf

    @contextmanager
    def job(self) -> Generator[None]:
        """Count a job for as long as it runs."""
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._changed.fire()

    @contextmanager
    def standing_still(self) -> Generator[None]:
        """Don't count a job while it waits at a held door before it destroys anything.

        Who drains doesn't wait for it: it ends with the daemon, and its handset is as it came.
        """
        self.running -= 1
        self._changed.fire()
        try:
            yield
        finally:
            self.running += 1

    async def drained(self) -> None:
        """Wait until the door is closed and the last job behind it has ended."""
        await self._closed.wait()
        await self._changed.until(lambda: not self.running)


QUIET_S: Final = 0.3
"""No slot for so long: whatever is still to come isn't waited for."""
MOST_S: Final = 5.0
"""How long those that have answered wait for others at most, since the first of them."""


class RollCall:
    """Slots whose handset never left answer, each when its job has begun.

    A job's first questions are many and take the processor from the slots that nothing is known of
    yet: with 256 the last of them would be told of a second and a half later.
    """

    def __init__(self) -> None:
        self._answers = 0
        self._over = math.inf

    async def answer(self) -> None:
        """Returns once nobody has answered for a while, or it has taken long enough."""
        self._answers += 1
        self._over = min(self._over, anyio.current_time() + MOST_S)
        heard = 0
        with anyio.CancelScope(deadline=self._over):
            while heard != self._answers:
                heard = self._answers
                await anyio.sleep(QUIET_S)
