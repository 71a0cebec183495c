"""A token bucket: how much of something may come at once, and how much per second after that."""

from __future__ import annotations

import anyio


class TokenBucket:
    """Holds up whoever takes faster than it fills; what has come already is taken on credit."""

    def __init__(self, *, per_s: float, at_once: float) -> None:
        self._per_s = per_s
        self._most = self._left = at_once
        self._at = float("-inf")

    async def take(self, tokens: float) -> bool:
        """Take them, and return once none are owed; whether that had to be waited for."""
        now = anyio.current_time()
        self._left = min(self._most, self._left + self._per_s * (now - self._at)) - tokens
        self._at = now
        if self._left >= 0:
            return False
        await anyio.sleep(-self._left / self._per_s)
        return True
