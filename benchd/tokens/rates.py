"""How often a token may ask: each has a bucket of its own, so that none empties another's."""

from __future__ import annotations

from collections.abc import Callable

from benchd.words.token import TokenName


class Rates:
    """Buckets that fill by the second, one for each name: there are never more than tokens."""

    def __init__(self, per_minute: int, now: Callable[[], float]) -> None:
        """`per_minute` may also come at once; `now` is in seconds, of a clock that nobody sets."""
        self._most = float(per_minute)
        self._each_s = 60.0 / per_minute
        self._now = now
        self._left: dict[TokenName, tuple[float, float]] = {}
        """By name: how many requests were left, and when."""

    def wait_s(self, name: TokenName) -> float:
        """Take one request, and give 0; or give how long this token has to wait for one."""
        now = self._now()
        left, seen_s = self._left.get(name, (self._most, now))
        left = min(self._most, left + (now - seen_s) / self._each_s)
        if left < 1:
            # Being asked costs nothing: whoever keeps asking waits no longer for it.
            self._left[name] = (left, now)
            return (1 - left) * self._each_s
        self._left[name] = (left - 1, now)
        return 0.0
