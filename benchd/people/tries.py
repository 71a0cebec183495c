"""How often somebody may try: the more tries fail, the longer the pause, per person and source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

FREE_TRIES = 3
"""Mistakes that cost no pause: fingers slip."""
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 900.0
"""For one person: six digits then last for 14 years on average."""
FREE_TRIES_OF_SOURCE = 20
LONGEST_PAUSE_OF_SOURCE_S = 60.0
"""Shorter, since all screens of a shop may come from one address: one can't lock out the others."""
FORGOTTEN_AFTER_S = 24 * 3600.0
MOST_KNOWN = 4096


@dataclass(slots=True)
class _Failed:
    count: int = 0
    last_s: float = 0.0
    until_s: float = 0.0


class Tries:
    """Counts tries that failed; what is counted is bounded, the oldest is forgotten first."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` gives seconds of a clock that no setting moves."""
        self._now = now
        self._failed: dict[tuple[str, str], _Failed] = {}

    def wait_s(self, person: str, source: str) -> float:
        """How long nobody may try for this person, or from this source; 0 if now."""
        now = self._now()
        known = (self._failed.get(("person", person)), self._failed.get(("source", source)))
        return max((one.until_s - now for one in known if one), default=0.0)

    def failed(self, person: str, source: str) -> None:
        """A try has failed."""
        self._count(("person", person), FREE_TRIES, LONGEST_PAUSE_S)
        self._count(("source", source), FREE_TRIES_OF_SOURCE, LONGEST_PAUSE_OF_SOURCE_S)

    def succeeded(self, person: str) -> None:
        """Somebody is who they say; their source still has its count, or one could reset it."""
        self._failed.pop(("person", person), None)

    def _count(self, key: tuple[str, str], free: int, longest_s: float) -> None:
        now = self._now()
        known = self._failed.pop(key, None)
        if known is None or now - known.last_s > FORGOTTEN_AFTER_S:
            known = _Failed()
        known.count += 1
        known.last_s = now
        over = known.count - free
        if over >= 0:
            known.until_s = now + min(FIRST_PAUSE_S * 2.0 ** min(over, 30), longest_s)
        self._failed[key] = known
        while len(self._failed) > MOST_KNOWN:
            del self._failed[next(iter(self._failed))]
