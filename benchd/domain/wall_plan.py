"""Where the slots stand on the wall, row by row, as they do in the rack."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

GAP = ""
"""A place of a row where the rack has no slot."""

_FEW = 8
_SHELF = range(4, 13)
"""As many slots as a shelf can have for its name to tell where a row ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WallPlan:
    """What a screen of the rack is laid out by, and what its readers send before a code."""

    rows: tuple[tuple[str, ...], ...] = ()
    scan_prefix: str = ""

    def for_slots(self, names: Collection[str]) -> WallPlan:
        """The plan with every one of these slots: those that no row names stand below."""
        placed = {name for row in self.rows for name in row}
        left = [name for name in names if name not in placed]
        return WallPlan(rows=(*self.rows, *rows_of(left)), scan_prefix=self.scan_prefix)


def rows_of(names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Rows as the names tell them: A1 to A8 are one shelf."""
    if len(names) <= _FEW:
        return _cut(names, 4)
    shelves = [tuple(shelf) for _, shelf in groupby(names, key=_shelf)]
    width = len(shelves[0])
    if width in _SHELF:
        return tuple(row for shelf in shelves for row in _cut(shelf, width))
    return _cut(names, min(8, math.ceil(math.sqrt(len(names) * 1.8))))


def _shelf(name: str) -> str:
    return re.sub(r"[0-9]+$", "", name)


def _cut(names: Sequence[str], width: int) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(names[at : at + width]) for at in range(0, len(names), width))
