"""When to try again, and when to stop trying."""

from __future__ import annotations

from typing import Final

from benchd.backoff import Backoff
from benchd.posting import Failure

LONGEST_PAUSE_S: Final = 3600.0
PAUSES: Final = Backoff(first_s=5.0, longest_s=LONGEST_PAUSE_S, longest_asked_s=LONGEST_PAUSE_S)

NEVER_BETTER: Final = frozenset({410, 413, 414, 415, 422})
"""Answers that are about this very event: sending it again would get them again. 400, 401, 403 and
404 aren't among them: many receivers say so to a signature or a time that they don't like, and a
mistake in somebody's configuration, or a clock, is put right some day."""


def is_for_good(failure: Failure) -> bool:
    """Whether another try is no use."""
    return failure.status in NEVER_BETTER
