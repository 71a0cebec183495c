"""What the machine has found, each made short: held against the core ever after."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.lab.adversity.pasting import from_file
from benchd.lab.adversity.search import faults_of

from .open_holes import is_open

FOUND = sorted((Path(__file__).parent / "schedules").glob("*.json"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_is_mended(path: Path) -> None:
    schedule = from_file(path)
    # As long as the hole is open the schedule has to show it: what shows nothing guards nothing.
    assert bool(faults_of(schedule)) is is_open(schedule)
