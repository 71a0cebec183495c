"""Connections that couldn't be accepted, for want of descriptors or memory: a line a minute.

asyncio tells of each try that fails, and tries as often as a socket lets connections in at once,
every second: a daemon without descriptors would fill its log with nothing else.
"""

from __future__ import annotations

import asyncio
import errno
from types import TracebackType
from typing import Any, Final, Self

import structlog

EACH_S: Final = 60.0
_WANTS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_log = structlog.get_logger()


class AcceptFaults:
    """Within its block it hears the loop's own faults of accepting, and those it is told."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._former = self._loop.get_exception_handler()
        self._tries = 0
        self._last: OSError | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        """Hear what asyncio can't raise to anybody."""
        self._loop.set_exception_handler(self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell what is still untold."""
        self._loop.set_exception_handler(self._former)
        if self._timer is not None:
            self._timer.cancel()
        self._tell_those_before()

    def tell(self, fault: OSError) -> None:
        """A try has failed: the first is told at once, others with how many they were."""
        self._last = fault
        self._tries += 1
        if self._timer is None:
            self._tell_those_before()
            self._timer = self._loop.call_later(EACH_S, self._minute_is_over)

    def _hear(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        fault = context.get("exception")
        if isinstance(fault, OSError) and fault.errno in _WANTS and "socket" in context:
            self.tell(fault)
        elif self._former is not None:
            self._former(loop, context)
        else:
            loop.default_exception_handler(context)

    def _minute_is_over(self) -> None:
        self._timer = None
        if self._tries:
            self._tell_those_before()
            self._timer = self._loop.call_later(EACH_S, self._minute_is_over)

    def _tell_those_before(self) -> None:
        if self._tries and self._last is not None:
            _log.warning("connection_not_accepted", detail=self._last.strerror, tries=self._tries)
        self._tries = 0
