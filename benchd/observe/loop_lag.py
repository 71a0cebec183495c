"""Measures how late the event loop comes back to a task that only sleeps."""

from __future__ import annotations

from collections.abc import Callable

import anyio

PROBE_EVERY_S = 0.25


async def measure_loop_lag(tell: Callable[[float], None], now: Callable[[], float]) -> None:
    """Tell the overshoot of each sleep, until cancelled."""
    while True:
        due = now() + PROBE_EVERY_S
        await anyio.sleep(PROBE_EVERY_S)
        tell(max(0.0, now() - due))
