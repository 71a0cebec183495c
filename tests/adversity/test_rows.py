"""Each way in which benchd was once broken has its test, and docs/adversity.md names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"\| (\d+) \| .+ \| `([^`:]+)::(\w+)(?:\[([^`]+)\])?` \|")
ROWS = 11


def table() -> list[tuple[int, str, str, str]]:
    """Row, file, function and case of each line of the table."""
    text = (ROOT / "docs" / "adversity.md").read_text(encoding="utf-8")
    lines = text.partition("## Row by row\n")[2].partition("\n## ")[0].splitlines()
    told = [line for line in lines if line.startswith("| ") and line[2].isdigit()]
    found = [match for line in told if (match := ROW.fullmatch(line))]
    assert len(found) == len(told)
    return [(int(match[1]), match[2], match[3], match[4] or "") for match in found]


@pytest.mark.parametrize(("row", "file", "function", "case"), table())
def test_the_test_of_a_row_is_there(row: int, file: str, function: str, case: str) -> None:
    assert row <= ROWS
    text = (ROOT / file).read_text(encoding="utf-8")
    test = "func (?=Test)" if file.endswith(".go") else "(?:async )?def (?=test_)"
    assert re.search(rf"(?m)^{test}{function}\(", text)
    assert f'"{case}": ' in text or not case


def test_no_row_is_left_out() -> None:
    assert {row for row, *_ in table()} == set(range(1, ROWS + 1))
