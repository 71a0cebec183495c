"""What a cell of a CSV file may hold: a spreadsheet works out whatever looks like a formula."""

from __future__ import annotations

import re
from typing import Final

from benchd.domain.plain_text import printable

BEGINS_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""A spreadsheet would work out what begins so; the wide ones too where people type Japanese."""
LONGEST_CELL: Final = 200
_BEGINS_CELL: Final = re.compile(rf"([;|])(?=[\s'\"]*[{re.escape(''.join(BEGINS_FORMULA))}])")
"""Where a cell would begin for a spreadsheet that splits at something else than the comma."""


def cell(told: str | None) -> str:
    """What strangers have said, on one line, as text and nothing else."""
    said = _BEGINS_CELL.sub(r"\1'", printable(told or "", LONGEST_CELL))
    return f"'{said}" if said.startswith(BEGINS_FORMULA) else said
