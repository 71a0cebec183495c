"""Token buckets: how much of something may come at once, and how much per second after that."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import anyio

Name = TypeVar("Name", bound=Hashable)


class TokenBucket:
    """Is full at first, and fills by the second; what it takes more than it holds is told."""

    def __init__(
        self, *, per_s: float, at_once: float, now: Callable[[], float] = anyio.current_time
    ) -> None:
        """`now` is in seconds, of a clock that nobody sets."""
        self._per_s = per_s
        self._most = self._left = at_once
        self._now = now
        self._at = float("-inf")

    async def take(self, tokens: float) -> bool:
        """Take them on credit, and return once none are owed; whether that had to be waited for."""
        owed_s = self.owe_s(tokens)
        if owed_s > 0:
            await anyio.sleep(owed_s)
        return owed_s > 0

    def owe_s(self, tokens: float = 1) -> float:
        """Take them on credit, and give after how many seconds none is owed."""
        self._fill()
        self._left -= tokens
        return max(0.0, -self._left) / self._per_s

    def take_or_wait_s(self) -> float:
        """Take one, and give 0; or take none, and give after how many seconds there is one."""
        wait_s = self.wait_s()
        if wait_s == 0:
            self._left -= 1
        return wait_s

    def wait_s(self) -> float:
        """After how many seconds there is one; asking costs nothing."""
        self._fill()
        return max(0.0, 1 - self._left) / self._per_s

    def _fill(self) -> None:
        now = self._now()
        self._left = min(self._most, self._left + self._per_s * (now - self._at))
        self._at = now


class Buckets(Generic[Name]):
    """A bucket for each name, so that none empties another's.

    At most so many are known, those asked for last: whoever has more names has each of them anew.
    """

    def __init__(
        self,
        *,
        per_s: float,
        at_once: float,
        most: int,
        now: Callable[[], float] = anyio.current_time,
    ) -> None:
        self._per_s = per_s
        self._at_once = at_once
        self._most = most
        self._now = now
        self._known: dict[Name, TokenBucket] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, name: Name) -> TokenBucket:
        """This name's own."""
        bucket = self._known.pop(name, None)
        if bucket is None:
            bucket = TokenBucket(per_s=self._per_s, at_once=self._at_once, now=self._now)
        self._known[name] = bucket
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        return bucket

    def owe_s(self, name: Name) -> float:
        """Take one from this bucket on credit, and give after how many seconds none is owed."""
        return self.of(name).owe_s()

    def take_or_wait_s(self, name: Name) -> float:
        """Take one from this bucket, and give 0; or take none, and give when there is one."""
        return self.of(name).take_or_wait_s()

    def wait_s(self, name: Name) -> float:
        """After how many seconds this bucket has one; asking costs nothing."""
        bucket = self._known.get(name)
        return 0.0 if bucket is None else bucket.wait_s()
