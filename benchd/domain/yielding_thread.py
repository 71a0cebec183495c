"""A call that takes a processor for a while, made where the daemon's other threads come first.

A thread that computes gets as much of a processor as the event loop, in pieces of some
milliseconds: where they share one, whatever waits for the loop waits for that as well.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

YIELDS: Final = 10
"""By so much it is nicer than the thread that calls: Linux gives it a tenth where both compute."""

_Result = TypeVar("_Result")


def in_yielding_thread(call: Callable[[], _Result]) -> _Result:
    """Wait for it in a thread of its own, which ends with it.

    A thread that has lowered its priority has no right to raise it again, so none is kept.
    """
    with ThreadPoolExecutor(max_workers=1, initializer=_yield_processor) as one:
        return one.submit(call).result()


def _yield_processor() -> None:
    # On Linux of the calling thread alone. A sandbox may forbid it, which costs nothing but time.
    with suppress(OSError):
        os.nice(YIELDS)
