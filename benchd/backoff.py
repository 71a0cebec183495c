"""How long to wait before somebody outside is asked once more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST_DOUBLINGS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses that double from the first to the longest, all in seconds."""

    first_s: float
    longest_s: float
    longest_asked_s: float
    """What whoever is asked may wish for (Retry-After) without being cut short."""

    def pause_s(self, attempts: int, chance: float, asked_s: float | None) -> float:
        """Seconds until the next try after so many; `chance` from 0 to 1 spreads racks apart."""
        longest = min(self.first_s * 2.0 ** min(attempts, MOST_DOUBLINGS), self.longest_s)
        own = longest * (0.5 + 0.5 * chance)
        return max(own, min(asked_s or 0.0, self.longest_asked_s))
