"""Time and randomness of a rack: the same for the same seed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import anyio


class Chance:
    """The rack's wall clock, which may jump, and randomness that is the same in every run."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn = 0
        self.ahead_s = 0.0
        self.behind_s = 0.0
        """How far the rack's clock is behind the true time, besides what it has jumped."""

    def now(self) -> datetime:
        """Wall time in UTC."""
        return self.true_now() - timedelta(seconds=self.behind_s)

    def true_now(self) -> datetime:
        """The same by a clock that was never behind."""
        seconds = anyio.current_time() + self.ahead_s
        return datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=seconds)

    def token(self, size_bytes: int) -> bytes:
        """Bytes that only this run draws."""
        self._drawn += 1
        return hashlib.shake_128(f"{self._seed} {self._drawn}".encode()).digest(size_bytes)
