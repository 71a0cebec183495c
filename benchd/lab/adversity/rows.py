"""Which rows of what errs by accident the core is held to, and which it still breaks."""

from __future__ import annotations

from typing import Final

ALL: Final = frozenset(range(1, 16))
"""Rows 1 to 13 of "one handset, one story"; 14: papers are spent; 15: value is destroyed on proof."""
OPEN: Final = ALL
"""Nothing is drawn for these unless asked for, and their rules are judged only there. Whoever
mends a row takes it out and moves its schedules from `schedules/open` to `schedules`."""
CLOSED: Final = ALL - OPEN
