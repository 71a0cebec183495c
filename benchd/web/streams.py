"""How many event streams a source or a person has open: the oldest makes room for the next."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import anyio

MOST_OF_ONE: Final = 48
"""More than a rack has screens; no other source and no person is kept out by it."""


class Streams:
    """Those that are open, by whose they are, the oldest first."""

    def __init__(self) -> None:
        self._open: dict[str, dict[anyio.CancelScope, None]] = {}

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
