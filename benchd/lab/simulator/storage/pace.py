"""How fast a chip is: each transfer waits for its turn on the one channel to the chip."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """Delays transfers so that together they keep to a rate."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._busy_until_s = 0.0
        self._lock = threading.Lock()

    def wait(self, size_bytes: int, bytes_per_s: int | None, latency_s: float) -> None:
        """Return when a chip of this speed would be done with so many bytes."""
        if bytes_per_s is None and latency_s <= 0.0:
            return
        duration_s = latency_s + (size_bytes / bytes_per_s if bytes_per_s else 0.0)
        with self._lock:
            now_s = self._clock()
            self._busy_until_s = max(self._busy_until_s, now_s) + duration_s
            left_s = self._busy_until_s - now_s
        self._sleep(left_s)
