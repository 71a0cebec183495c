"""When to try again, and when to stop trying."""

from __future__ import annotations

from typing import Final

from benchd.posting import Failure

FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 3600.0
MOST_DOUBLINGS: Final = 16

NEVER_BETTER: Final = frozenset({410, 413, 414, 415, 422})
"""Answers that are about this very event: sending it again would get them again. 400, 401, 403 and
404 aren't among them: many receivers say so to a signature or a time that they don't like, and a
mistake in somebody's configuration, or a clock, is put right some day."""


def is_for_good(failure: Failure) -> bool:
    """Whether another try is no use."""
    return failure.status in NEVER_BETTER


def pause_s(attempts: int, chance: float, retry_after_s: float | None) -> float:
    """Seconds until the next try after so many; `chance` from 0 to 1 spreads racks apart."""
    longest = min(FIRST_PAUSE_S * 2.0 ** min(attempts, MOST_DOUBLINGS), LONGEST_PAUSE_S)
    own = longest * (0.5 + 0.5 * chance)
    return max(own, min(retry_after_s or 0.0, LONGEST_PAUSE_S))
