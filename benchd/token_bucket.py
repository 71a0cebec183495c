"""A token bucket: how much of something may come at once, and how much per second after that."""

from __future__ import annotations

from collections.abc import Callable

import anyio


class TokenBucket:
    """The one rate limiter: it holds up whoever takes faster than it fills, or says for how long.

    Tokens are whatever is counted: bytes, lines, requests.
    """

    def __init__(
        self,
        *,
        per_s: float,
        at_once: float,
        now: Callable[[], float] = anyio.current_time,
    ) -> None:
        """`now` is in seconds, of a clock that nobody sets."""
        self._per_s = per_s
        self._most = self._left = at_once
        self._now = now
        self._at = float("-inf")

    async def take(self, tokens: float) -> bool:
        """Take them, and return once none are owed; whether that had to be waited for.

        What has come already is taken on credit.
        """
        self._fill()
        self._left -= tokens
        if self._left >= 0:
            return False
        await anyio.sleep(-self._left / self._per_s)
        return True

    def wait_s(self, tokens: float = 1) -> float:
        """Take them and give 0; or take none and give how long it is until there are as many."""
        self._fill()
        if self._left < tokens:
            # Being asked costs nothing: whoever keeps asking waits no longer for it.
            return (tokens - self._left) / self._per_s
        self._left -= tokens
        return 0.0

    def _fill(self) -> None:
        now = self._now()
        self._left = min(self._most, self._left + self._per_s * (now - self._at))
        self._at = now
