"""The event loop of a storm: time is virtual, and so are threads, sockets and signals."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, cast

from benchd.daemon.signals import Heard
from benchd.lab.adversity.virtual_time import EverybodyWaitsError
from benchd.lab.storm.descriptors import BoundedLoop
from benchd.lab.storm.sockets import Server, VirtualListener
from benchd.lab.storm.threads import Threads

TURN_S: Final = 0.00003
"""What each callback of the loop takes: who floods a daemon has it busy, also in virtual time."""


class KilledError(BaseException):
    """Raised where a signal that nobody hears ends the process at once."""


class StormLoop(BoundedLoop):
    """One machine: its clock, its threads, its network, its signals."""

    def __init__(self) -> None:
        super().__init__()
        self.threads = Threads(self)
        self.killed_by: signal.Signals | None = None
        self.heard: Heard | None = None
        self.on_kill: Callable[[], None] = lambda: None

    def select(self, timeout: float | None) -> list[object]:
        """Let threads do what they can, and time pass where nobody can do anything."""
        self.threads.run()
        ready: int = len(self._ready)  # type: ignore[attr-defined]
        if ready:
            self._now_s += ready * TURN_S
            return []
        if timeout == 0:
            return []
        # Threads may have set timers since the loop has looked.
        scheduled = cast("list[asyncio.TimerHandle]", self._scheduled)  # type: ignore[attr-defined]
        if not scheduled:
            raise EverybodyWaitsError("every task waits, and no timer is set")
        self._now_s = max(self._now_s, scheduled[0].when())
        return []

    async def create_server(  # type: ignore[override]
        self,
        factory: Callable[[], asyncio.Protocol],
        *,
        sock: VirtualListener,
        backlog: int,
        **_: object,
    ) -> Server:
        """Serve a listener of this machine."""
        return Server(self, factory, sock, backlog)

    @contextmanager
    def hear(self, heard: Heard) -> Generator[None]:
        """Have signals heard, in place of the process' own."""
        self.heard = heard
        try:
            yield
        finally:
            self.heard = None

    def deliver(self, number: signal.Signals) -> None:
        """Somebody sends the daemon a signal; one that it doesn't hear ends it."""
        if self.heard is not None:
            self.call_soon(self.heard, number)
        elif self.killed_by is None:
            self.killed_by = number
            self.on_kill()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Kept for whoever judges; asyncio's own would write to the log."""
        self.complaints.append(str(context.get("message")))

    @property
    def complaints(self) -> list[str]:
        """What the loop had to complain about."""
        kept: list[str] = self.__dict__.setdefault("_complaints", [])
        return kept
