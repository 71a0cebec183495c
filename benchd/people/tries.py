"""How often somebody may try: the more tries fail, the longer the pause, per person and source."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

FREE_TRIES = 3
"""Mistakes that cost no pause: fingers slip."""
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 900.0
"""For one person: six digits then last for 14 years on average, 7 for who has their badge."""
FREE_TRIES_OF_SOURCE = 20
LONGEST_PAUSE_OF_SOURCE_S = 60.0
"""Shorter, since all screens of a shop may come from one address: one can't lock out the others."""
FORGOTTEN_AFTER_S = 24 * 3600.0
MOST_KNOWN = 4096
"""Of people, more than there may be; of strangers and of sources as many each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """For whom somebody tries. Whoever shows the badge too isn't held up by who guesses PINs."""

    name: str
    is_known: bool
    by_badge: bool = False


@dataclass(slots=True)
class _Failed:
    count: int = 0
    last_s: float = 0.0
    until_s: float = 0.0


_Counts = dict[str | Whom, _Failed]


class Tries:
    """Counts tries that failed; what is counted is bounded, the oldest is forgotten first.

    Strangers are counted apart, so that no crowd of them makes a person's count forgotten.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` gives seconds of a clock that no setting moves."""
        self._now = now
        self._whom: dict[bool, _Counts] = {True: {}, False: {}}
        """By whether they are known."""
        self._sources: _Counts = {}

    def wait_s(self, whom: Whom, source: str) -> float:
        """How long nobody may try for them, or from this source; 0 if now."""
        now = self._now()
        known = (self._whom[whom.is_known].get(whom), self._sources.get(_machine(source)))
        return max((one.until_s - now for one in known if one), default=0.0)

    def failed(self, whom: Whom, source: str) -> None:
        """A try has failed."""
        self._count(self._whom[whom.is_known], whom, FREE_TRIES, LONGEST_PAUSE_S)
        self._count(
            self._sources, _machine(source), FREE_TRIES_OF_SOURCE, LONGEST_PAUSE_OF_SOURCE_S
        )

    def succeeded(self, whom: Whom) -> None:
        """Somebody is who they say; their source still has its count, or one could reset it."""
        self._whom[whom.is_known].pop(whom, None)

    def _count(self, counts: _Counts, key: str | Whom, free: int, longest_s: float) -> None:
        now = self._now()
        known = counts.pop(key, None)
        if known is None or now - known.last_s > FORGOTTEN_AFTER_S:
            known = _Failed()
        known.count += 1
        known.last_s = now
        over = known.count - free
        if over >= 0:
            known.until_s = now + min(FIRST_PAUSE_S * 2.0 ** min(over, 30), longest_s)
        counts[key] = known
        while len(counts) > MOST_KNOWN:
            del counts[next(iter(counts))]


def _machine(source: str) -> str:
    """One name for all addresses of which a machine has as many as it likes."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return "loopback"
    if isinstance(address, ipaddress.IPv6Address):
        return address.packed[:8].hex()
    return str(address)
