"""Colours are tokens of the theme: one that is written into a rule is of one theme alone."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

from benchd.web.dashboard import STATIC

PAPER = {"cards.css", "label.css", "paper.css"}
"""Black on white, also on the screen."""
SHEETS = sorted(STATIC.glob("*.css"))
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DECLARED = re.compile(r"([\w-]+)\s*:\s*([^;{}]*)(?=[;}])")
COLOUR = re.compile(
    r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|hwb|lab|lch|oklab|oklch|color)a?\(", re.IGNORECASE
)
USED = re.compile(r"var\((--[\w-]+)")
SET = re.compile(r'setProperty\("(--[\w-]+)"')


def declared(sheet: Path) -> list[tuple[str, str]]:
    return DECLARED.findall(COMMENT.sub("", sheet.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "sheet", [one for one in SHEETS if one.name not in PAPER], ids=lambda sheet: sheet.name
)
def test_item_1_no_rule_has_a_colour_of_its_own(sheet: Path) -> None:
    written = [
        f"{name}: {value}"
        for name, value in declared(sheet)
        if COLOUR.search(value) and not name.startswith("--")
    ]
    assert written == []


def test_item_1_every_token_that_is_used_is_declared() -> None:
    known = {name for sheet in SHEETS for name, _ in declared(sheet)}
    scripts = [script.read_text(encoding="utf-8") for script in STATIC.glob("*.js")]
    known |= set(chain.from_iterable(map(SET.findall, scripts)))
    used = {name for sheet in SHEETS for name in USED.findall(sheet.read_text(encoding="utf-8"))}
    assert used - known == set()
