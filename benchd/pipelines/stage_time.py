"""How much time an attempt at a stage has left, and when none of it passes."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager

import anyio


class StageTime:
    """The deadline of a job's running attempt; one at a time."""

    def __init__(self) -> None:
        self._attempt: anyio.CancelScope | None = None

    @contextmanager
    def limited(self, seconds: float) -> Generator[None]:
        """A block that may take so long; raises TimeoutError."""
        with anyio.fail_after(seconds) as attempt:
            self._attempt = attempt
            yield

    @contextmanager
    def stands_still(self) -> Generator[None]:
        """A block that waits for other jobs: what they take is none of this one's time.

        What is waited for has to end by itself.
        """
        attempt = self._attempt
        if attempt is None:
            yield
            return
        left_s = attempt.deadline - anyio.current_time()
        attempt.deadline = math.inf
        try:
            yield
        finally:
            attempt.deadline = anyio.current_time() + left_s
