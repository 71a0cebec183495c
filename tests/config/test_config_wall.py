"""Where the slots stand on the wall."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.config import Settings, load_settings
from benchd.daemon.config_check import check_config
from benchd.domain.wall_plan import WallPlan, rows_of
from tests.config.test_config_felica import RECIPE, SITE

SLOTS = "".join(
    f'[slots.{name}]\nport = "usb-0:{number}"\n'
    for number, name in enumerate(("A1", "A2", "B1", "B2"), 1)
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "overwrite.toml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def messages(wall: str) -> list[str]:
    Path("benchd.toml").write_text(f"{SITE}[wall]\n{wall}\n{SLOTS}")
    return [str(issue) for issue in check_config(Path("benchd.toml"))]


def loaded(wall: str) -> Settings:
    Path("benchd.toml").write_text(f"{SITE}[wall]\n{wall}\n{SLOTS}")
    return load_settings(Path("benchd.toml"))


def test_rows_with_a_gap_are_taken_as_they_are_written() -> None:
    told = loaded('rows = [["A1", "", "A2"], ["B1", "B2"]]\nscan_prefix = "~"').wall
    assert told == WallPlan(rows=(("A1", "", "A2"), ("B1", "B2")), scan_prefix="~")


def test_a_slot_that_no_row_names_stands_below() -> None:
    assert loaded('rows = [["B2", "B1"]]').wall.rows == (("B2", "B1"), ("A1", "A2"))


def test_without_rows_the_names_tell() -> None:
    assert loaded("").wall.rows == (("A1", "A2", "B1", "B2"),)


def test_mistakes_are_told_at_their_place() -> None:
    assert messages('rows = [["A1", "a2"],\n["A1"]]') == [
        (
            'benchd.toml:4:16: wall.rows[1][2]: found "a2", which is no slot; allowed are'
            ' the names under [slots] and "" for a gap; did you mean "A2"?'
        ),
        (
            'benchd.toml:5:2: wall.rows[2][1]: found "A1", which stands in row 1 already;'
            " allowed is each slot once"
        ),
    ]


@pytest.mark.parametrize(
    "wall",
    [
        'rows = ["A1"]',
        "rows = [[1]]",
        'rows = [["A 1"]]',
        'scan_prefix = "123456789"',
        'scan_prefix = "あ"',
        'row = [["A1"]]',
    ],
)
def test_what_is_no_plan_is_refused(wall: str) -> None:
    assert messages(wall)


@pytest.mark.parametrize(
    ("names", "widths"),
    [
        ([], []),
        ([f"A{n}" for n in range(1, 9)], [4, 4]),
        ([f"S{n:02}" for n in range(1, 29)], [8, 8, 8, 4]),
        ([f"{row}{n}" for row in "ABCDEFGH" for n in range(1, 9)], [8] * 8),
        ([f"{row}{n}" for row in "AB" for n in range(1, 7)] + ["tray"], [6, 6, 1]),
    ],
)
def test_names_of_a_shelf_are_a_row(names: list[str], widths: list[int]) -> None:
    rows = rows_of(names)
    assert [len(row) for row in rows] == widths
    assert [name for row in rows for name in row] == names
