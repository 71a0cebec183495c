"""What the machine has found, each made short: held against the core ever after."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.lab.adversity.holes import Hole, Table
from benchd.lab.adversity.mutations import HOLES
from benchd.lab.adversity.pasting import from_file
from benchd.lab.adversity.row_holes import ROW_HOLES
from benchd.lab.adversity.rows import ALL
from benchd.lab.adversity.search import faults_of

FOUND = sorted((Path(__file__).parent / "schedules").glob("*.json"))
KEPT_AS = {Table.FROM_OUTSIDE: "row", Table.ERRING: "story"}
"""How the name begins under which a find of a table's row is kept."""


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_is_mended(path: Path) -> None:
    assert faults_of(from_file(path)) == ()


@pytest.mark.parametrize("hole", [*HOLES, *ROW_HOLES], ids=lambda hole: f"{hole.row} {hole.says}")
def test_a_hole_put_back_swallows_what_was_found_through_it(hole: Hole) -> None:
    """Otherwise the patch has missed the core, or what was found guards nothing any more."""
    of_row = [path for path in FOUND if path.stem.startswith(f"{KEPT_AS[hole.table]}-{hole.row}-")]
    assert hole.missing() == []
    assert any(hole.swallows(from_file(path)) for path in of_row)


def test_each_row_of_people_and_papers_has_a_hole() -> None:
    assert {hole.row for hole in ROW_HOLES} == ALL
