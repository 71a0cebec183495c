"""Whether new jobs may begin, and how many are running: what a daemon that ends in peace asks."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import anyio

from benchd.wakeup import Wakeup


class Admission:
    """The door that every job goes through; once it is closed it stays closed."""

    def __init__(self) -> None:
        self.running = 0
        self._closed = anyio.Event()
        self._ended = Wakeup()

    @property
    def closed(self) -> bool:
        """Whether no new job may begin."""
        return self._closed.is_set()

    def close(self) -> None:
        """Let no new job begin; those that run go on."""
        self._closed.set()

    @contextmanager
    def job(self) -> Generator[None]:
        """Count a job for as long as it runs."""
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._ended.fire()

    async def drained(self) -> None:
        """Wait until the door is closed and the last job behind it has ended."""
        await self._closed.wait()
        await self._ended.until(lambda: not self.running)
