"""How many event streams a source or a person has open: the oldest makes room for the next."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import anyio

MOST_OF_ONE: Final = 48
"""More than a rack has screens; no other source and no person is kept out by it."""


SHORTEST_INTERVAL_S: Final = 0.1
"""Progress of many slots comes in bursts; a page needs no more than ten looks a second."""
MOST_LOOKS_PER_S: Final = 25.0
"""So often all streams of one source or person look at the board: each look costs the loop."""


class Streams:
    """Those that are open, by whose they are, the oldest first."""

    def __init__(self) -> None:
        self._open: dict[str, dict[anyio.CancelScope, None]] = {}

    def interval_s(self, whose: str) -> float:
        """After how many seconds each of theirs may tell something again."""
        return max(SHORTEST_INTERVAL_S, len(self._open.get(whose, ())) / MOST_LOOKS_PER_S)

    @contextmanager
    def one_of(self, whose: str) -> Generator[anyio.CancelScope]:
        """One more inside of this block, which is cancelled once too many newer ones are open."""
        mine = self._open.setdefault(whose, {})
        if len(mine) >= MOST_OF_ONE:
            oldest = next(iter(mine))
            del mine[oldest]
            oldest.cancel()
        with anyio.CancelScope() as scope:
            mine[scope] = None
            try:
                yield scope
            finally:
                mine.pop(scope, None)
                if not mine and self._open.get(whose) is mine:
                    del self._open[whose]
