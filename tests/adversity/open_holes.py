"""Rows of the table of holes that this core still has; empty once all of them are closed."""

from __future__ import annotations

from benchd.lab.adversity.mutations import HOLES
from benchd.lab.adversity.schedule import Schedule

OPEN_ROWS = frozenset({1, 2, 3, 4, 8})
OPEN = [hole for hole in HOLES if hole.row in OPEN_ROWS or "IMEI" in hole.says]


def is_open(schedule: Schedule) -> bool:
    """Whether the schedule has what one of them needs."""
    return any(hole.ingredients(schedule) for hole in OPEN)
