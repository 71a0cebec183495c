"""How often a token may ask: each has a bucket of its own, so that none empties another's."""

from __future__ import annotations

from collections.abc import Callable

from benchd.token_bucket import TokenBucket
from benchd.words.token import TokenName


class Rates:
    """Buckets that fill by the second, one for each name: there are never more than tokens."""

    def __init__(self, per_minute: int, now: Callable[[], float]) -> None:
        """`per_minute` may also come at once; `now` is in seconds, of a clock that nobody sets."""
        self._per_minute = per_minute
        self._now = now
        self._buckets: dict[TokenName, TokenBucket] = {}

    def wait_s(self, name: TokenName) -> float:
        """Take one request, and give 0; or give how long this token has to wait for one."""
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = TokenBucket(
                per_s=self._per_minute / 60, at_once=self._per_minute, now=self._now
            )
        return bucket.wait_s()
