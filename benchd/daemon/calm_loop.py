"""Waits until the event loop has little to do: what may come later begins then.

A thread that computes and the loop share the processor and the interpreter, however low the
thread's priority is. When a rack's handsets are all plugged in at once the loop has a second full
of work, and what anybody may ask for can wait until that is done.
"""

from __future__ import annotations

import time
from typing import Final

import anyio

LOOK_EVERY_S: Final = 0.02
LOOKS_IN_TIME: Final = 5
"""So many one after the other come back in time where the loop is calm."""
LATE_S: Final = 0.0035
"""A sleep may last a millisecond longer by itself: the kernel is asked in whole ones."""
LONGEST_S: Final = 3.0
"""A rack that is never calm keeps nobody waiting for ever."""


async def until_loop_is_calm(longest_s: float = LONGEST_S) -> None:
    """Return once so many looks in a row came back in time, or after `longest_s` seconds.

    A look that other programs have made late, and not the loop's own work, counts as in time: on a
    PC that is busy with them waiting would gain nothing.
    """
    in_time = 0
    with anyio.move_on_after(longest_s):
        while in_time < LOOKS_IN_TIME:
            due, worked_s = anyio.current_time() + LOOK_EVERY_S, time.thread_time()
            await anyio.sleep_until(due)
            late_s = anyio.current_time() - due
            is_late = min(late_s, time.thread_time() - worked_s) > LATE_S
            in_time = 0 if is_late else in_time + 1
