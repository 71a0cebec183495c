"""Item 6 of issue 34: wall.md says which screen for how many slots, by the sizes that it names."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

WALL = Path(__file__).parents[2] / "docs" / "wall.md"
SIZES = (24, 27, 32, 40)
"""Inches of full-HD screens as they are sold."""
ACROSS = 1920
MM_PER_INCH = 25.4
ARC_MINUTES = 16
"""The least that characters want, as a rule of thumb."""
ROW = re.compile(
    r'^\| (?P<slots>[^|]+) \| (?P<shown>[^|]+) \| (?P<two>\d+)" \| (?P<three>\d+)" \|$'
)
SAID = re.compile(
    r"has the state in at least (?P<state>\d+) px and with\n8 slots in (?P<of_eight>\d+) px; why a"
    r" handset is where it is, it says in (?P<why>\d+) px or not at all"
)
LETTERS = re.compile(r"capitals and figures are (0\.\d+) of the type size high")


def rows() -> list[re.Match[str]]:
    lines = WALL.read_text(encoding="utf-8").splitlines()
    return [found for line in lines if (found := ROW.match(line))]


def smallest(pixels: float, metres: float) -> int:
    """The smallest screen on which type of this size is high enough from so far away."""
    told = LETTERS.search(WALL.read_text(encoding="utf-8"))
    assert told is not None
    wanted_mm = metres * 1000 * math.tan(math.radians(ARC_MINUTES / 60))
    for inches in SIZES:
        pixel_mm = inches * MM_PER_INCH * 16 / math.hypot(16, 9) / ACROSS
        if pixels * float(told[1]) * pixel_mm >= wanted_mm:
            return inches
    raise AssertionError(pixels)


def test_item_6_every_number_of_slots_has_its_screen() -> None:
    assert [row["slots"] for row in rows()] == ["up to 8"] * 2 + ["9 to 64"] * 2


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['slots']}: {row['shown']}")
def test_item_6_a_screen_is_as_large_as_its_smallest_type_takes(row: re.Match[str]) -> None:
    said = SAID.search(WALL.read_text(encoding="utf-8"))
    assert said is not None
    state = float(said["of_eight"] if row["slots"] == "up to 8" else said["state"])
    least = min(state, float(said["why"])) if "why" in row["shown"] else state
    assert (int(row["two"]), int(row["three"])) == (smallest(least, 2), smallest(least, 3))
