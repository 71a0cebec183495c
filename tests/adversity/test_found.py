"""What the machine has found, each made short: held against the core ever after."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.lab.adversity.holes import Hole
from benchd.lab.adversity.mutations import HOLES
from benchd.lab.adversity.pasting import from_file
from benchd.lab.adversity.search import faults_of

FOUND = sorted((Path(__file__).parent / "schedules").glob("*.json"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_is_mended(path: Path) -> None:
    assert faults_of(from_file(path)) == ()


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.says)
def test_a_hole_put_back_swallows_what_was_found_through_it(hole: Hole) -> None:
    """Otherwise the patch has missed the core, or what was found guards nothing any more."""
    of_row = [path for path in FOUND if path.stem.startswith(f"row-{hole.row}-")]
    assert hole.missing() == []
    with hole.opened():
        assert any(hole.swallows(from_file(path)) for path in of_row)
