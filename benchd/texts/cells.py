"""What a cell of a CSV file may hold: a spreadsheet works out whatever looks like a formula."""

from __future__ import annotations

from typing import Final

from benchd.texts.templates import printable

BEGINS_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""A spreadsheet would work out what begins so; the wide ones too where people type Japanese."""
LONGEST_CELL: Final = 200


def cell(told: str | None) -> str:
    """What strangers have said, on one line, as text and nothing else."""
    said = printable(told or "", LONGEST_CELL)
    return f"'{said}" if said.startswith(BEGINS_FORMULA) else said
