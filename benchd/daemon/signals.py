"""Signals of the daemon: heard from ready to the process' exit, however many are sent."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

OBEYED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

Heard = Callable[[signal.Signals], bool]
"""What a signal does; False if no more of them matter."""
Hear = Callable[[Heard], AbstractContextManager[None]]
"""Has a function called on the event loop for each signal that is obeyed, as `hear_signals`."""


@contextmanager
def hear_signals(heard: Heard, *, then_exit: bool = False) -> Generator[None]:
    """Call `heard` on the running loop; the same signal sent again before that is one call.

    Once it has answered False all are ignored, so that who sends them in a loop slows down nothing.
    asyncio's handlers write a byte for each signal. Who sends them in a loop fills that pipe, and
    then the interpreter waits in its handler for a lock that it holds itself, for ever (CPython
    3.13). With `then_exit` signals are ignored afterwards: one that came while a process exits
    which has nothing left to settle would tell whoever reads its exit code that it was killed.
    """
    loop = asyncio.get_running_loop()
    waiting: set[int] = set()

    def tell() -> None:
        while waiting:
            if not heard(signal.Signals(waiting.pop())):
                ignore_signals()

    def handle(number: int, _frame: object) -> None:
        if number not in waiting:
            waiting.add(number)
            loop.call_soon_threadsafe(tell)

    before = {number: signal.signal(number, handle) for number in OBEYED}
    try:
        yield
    finally:
        ignore_signals()
        if not then_exit:
            for number, handler in before.items():
                signal.signal(number, handler)


def ignore_signals() -> None:
    """Ignore signals until this process is gone: its exit code is not to be another one."""
    for number in OBEYED:
        signal.signal(number, signal.SIG_IGN)
