"""A measurement that SIGTERM and Ctrl-C end in order: its processes first, then the bench."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

T = TypeVar("T")


def run_in_order(work: Callable[[], Awaitable[T]]) -> T:
    """What the work returns; SystemExit once all is taken down where it was told to end.

    An exception out of a signal's handler would leave the loop in the middle of whatever it does,
    and a worker thread waiting for ever.
    """
    results: list[T] = []
    told: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    async def run() -> None:
        async with anyio.create_task_group() as tasks:

            async def until_ended() -> None:
                with anyio.open_signal_receiver(*before) as signals:
                    async for number in signals:
                        told.append(number)
                        tasks.cancel_scope.cancel()

            tasks.start_soon(until_ended)
            results.append(await work())
            tasks.cancel_scope.cancel()

    try:
        anyio.run(run)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if not results:
        raise SystemExit(128 + told[0])
    return results[0]
