"""How often somebody may try: the more tries fail, the longer the pause, per person and source.

Without a badge it is per person: anybody may guess at an id, and keeps out nobody who has a badge.
Who shows one has a count for that badge alone. A source is held apart from both: one that guesses
badges isn't held where it types PINs, nor the other way round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from benchd.domain.token_bucket import Buckets
from benchd.domain.visitor_source import machine_of

FREE_TRIES = 3
"""Mistakes that cost no pause: fingers slip."""
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 900.0
"""For one person: six digits then last for 14 years on average, 7 for who has their badge."""
FREE_TRIES_OF_SOURCE = 20
EACH_S_OF_SOURCE = 60.0
"""One more in so many seconds: all screens of a shop may come from one address, and slips of a day
mustn't add up."""
FORGOTTEN_AFTER_S = 24 * 3600.0
MOST_KNOWN = 4096
"""Of people, more than there may be; of strangers and of sources as many each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """For whom somebody tries: a person by their id, or a badge by its mark."""

    name: str
    is_known: bool
    by_badge: bool = False


class _Source(NamedTuple):
    machine: str
    by_badge: bool


@dataclass(slots=True)
class _Failed:
    count: int = 0
    last_s: float = 0.0
    until_s: float = 0.0


class Tries:
    """Counts tries that failed; what is counted is bounded, the oldest is forgotten first.

    Strangers are counted apart, so that no crowd of them makes a person's count forgotten.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` gives seconds of a clock that no setting moves."""
        self._now = now
        self._whom: dict[bool, dict[Whom, _Failed]] = {True: {}, False: {}}
        """By whether they are known."""
        self._sources = Buckets[_Source](
            per_s=1 / EACH_S_OF_SOURCE, at_once=FREE_TRIES_OF_SOURCE, most=MOST_KNOWN, now=now
        )

    def wait_s(self, whom: Whom) -> float:
        """How long nobody may try for them; 0 if now."""
        known = self._whom[whom.is_known].get(whom)
        return 0.0 if known is None else max(0.0, known.until_s - self._now())

    def source_wait_s(self, source: str, *, by_badge: bool) -> float:
        """How long nobody may try in this way from there; 0 if now."""
        return self._sources.wait_s(_Source(machine_of(source), by_badge))

    def failed(self, whom: Whom, source: str) -> None:
        """A try has failed."""
        self._sources.take_or_wait_s(_Source(machine_of(source), whom.by_badge))
        counts, now = self._whom[whom.is_known], self._now()
        known = counts.pop(whom, None)
        if known is None or now - known.last_s > FORGOTTEN_AFTER_S:
            known = _Failed()
        known.count += 1
        known.last_s = now
        over = known.count - FREE_TRIES
        if over >= 0:
            known.until_s = now + min(FIRST_PAUSE_S * 2.0 ** min(over, 30), LONGEST_PAUSE_S)
        counts[whom] = known
        while len(counts) > MOST_KNOWN:
            del counts[next(iter(counts))]

    def succeeded(self, whom: Whom) -> None:
        """Somebody is who they say; their source still has its count, or one could reset it."""
        self._whom[whom.is_known].pop(whom, None)
