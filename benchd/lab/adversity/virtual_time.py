"""An event loop whose time passes only while everybody waits: a night takes milliseconds."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar
from unittest.mock import patch

import anyio
from anyio._backends._asyncio import CancelScope

T = TypeVar("T")

RESOLUTION_S = 1e-6


class EverybodyWaitsError(RuntimeError):
    """Raised when all tasks wait and no timer is set: nothing could ever happen again."""


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop without files, sockets or threads; its clock jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._clock_resolution = RESOLUTION_S
        self._selector = self

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now_s

    def select(self, timeout: float | None) -> list[object]:
        """What a selector does for other loops: let the time pass until the next timer."""
        if timeout is None:
            raise EverybodyWaitsError("every task waits, and no timer is set")
        self._now_s += timeout
        return []

    def _process_events(self, event_list: list[object]) -> None:
        """There are none: nothing comes from outside."""

    def _write_to_self(self) -> None:
        """Nobody else could have woken this loop."""


class _InOrder(dict[T, None]):
    """A set that is walked in the order in which its members came, not by their addresses."""

    def add(self, member: T) -> None:
        self[member] = None

    def remove(self, member: T) -> None:
        del self[member]

    def discard(self, member: T) -> None:
        self.pop(member, None)


def run_in_virtual_time(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function to its end on a loop of its own.

    What is cancelled together hears of it in the order in which it began: anyio keeps tasks and
    scopes in sets, whose order is another in each process.
    """
    prepared = CancelScope.__init__

    def prepare(self: CancelScope, deadline: float = math.inf, shield: bool = False) -> None:  # noqa: FBT001, FBT002 - as anyio has it
        prepared(self, deadline, shield)
        for name in ("_child_scopes", "_tasks"):
            setattr(self, name, _InOrder())

    with patch.object(CancelScope, "__init__", prepare):
        return anyio.run(work, backend="asyncio", backend_options={"loop_factory": VirtualLoop})
