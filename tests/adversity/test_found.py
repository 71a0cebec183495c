"""What the machine has found, each made short: held against the core ever after."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.lab.adversity.pasting import from_file
from benchd.lab.adversity.search import faults_of

FOUND = sorted((Path(__file__).parent / "schedules").glob("*.json"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_is_mended(path: Path) -> None:
    assert faults_of(from_file(path)) == ()
