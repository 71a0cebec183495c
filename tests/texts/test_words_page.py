"""The page on words names what is said, what isn't any more, and who says it so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.texts.test_japanese import OLD, TEXTS

PAGE = (Path(__file__).parents[2] / "docs" / "words.ja.md").read_text("utf-8")
OF_BENCHD = "（出典なし）"
OUR_OWN = 2
"""Rows of words that are no trade's."""


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under this heading."""
    part = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_it_says_that_nobody_of_the_trade_has_read_it() -> None:
    assert "**まだ、現場の人は誰もこの言葉を読んで確かめていません。**" in PAGE


def test_each_word_is_said_somewhere_and_has_its_sources() -> None:
    said = " ".join(TEXTS.values())
    used = rows("使う言葉")
    assert len(used) > 12
    for words, meaning, sources in used:
        assert meaning
        assert sources == OF_BENCHD or re.fullmatch(r"(\[\^\w+\] ?)+", sources), words
        spoken = words.removeprefix("データ消去の").split("・")
        assert [word for word in spoken if word not in said] == []
    assert [sources for *_, sources in used].count(OF_BENCHD) == OUR_OWN


@pytest.mark.parametrize("old", OLD)
def test_each_former_word_is_named_with_what_is_said_instead(old: str) -> None:
    [[_, instead, why]] = [row for row in rows("使わない言葉") if row[0] == old]
    assert instead
    assert why


def test_each_source_is_named_and_each_named_one_is_used() -> None:
    used = set(re.findall(r"\[\^(\w+)\](?!:)", PAGE))
    named = dict(re.findall(r"^\[\^(\w+)\]: (.+)$", PAGE, re.MULTILINE))
    assert used == named.keys()
    assert all(re.search(r".{8,}: <https?://[^>]+>$", text) for text in named.values())
