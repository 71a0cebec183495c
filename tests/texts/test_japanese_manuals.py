"""The Japanese manuals say what the pages say, and where the rest comes from."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from benchd.domain.job import DISPOSITION_OF, Gate, Reason
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.texts.catalogue import Catalogue
from tests.texts.test_japanese import OLD
from tests.texts.test_japanese import TEXTS as SAID

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "operators.ja.md").read_text(encoding="utf-8")
TEXTS = Catalogue.load()
WORDS = (DOCS / "words.ja.md").read_text(encoding="utf-8")
HANDSETS = (DOCS / "handsets.ja.md").read_text(encoding="utf-8")
OF_BENCHD = "（出典なし）"
OUR_OWN = 11
"""Rows of words that are no trade's."""
MAKERS = (
    *("Google", "ソニー", "シャープ", "FCNT", "サムスン", "OPPO"),
    *("シャオミ", "モトローラ", "京セラ", "HUAWEI", "HONOR", "ASUS"),
)
FACTS = ("reader", "count", "percent", "degrees", "port_path", "printers", "hooks", "slot")
FILLED_IN: dict[str, str] = dict.fromkeys(FACTS, "○")


def row_of(code: str, says: str) -> list[str]:
    """The cells of the one row with this code and this title."""
    [row] = (line for line in PAGE.splitlines() if f"| `{code}` |" in line and says in line)
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("code", ProblemCode)
def test_each_problem_is_in_it_in_the_walls_own_words(code: ProblemCode) -> None:
    says = TEXTS.problem(ProblemView(code=code, facts=FILLED_IN)).ja
    title, _, to_do = row_of(code, f"| {says} |")
    assert title == says
    assert to_do


@pytest.mark.parametrize("reason", Reason)
def test_each_end_is_in_it_with_where_the_handset_goes(reason: Reason) -> None:
    says = TEXTS.reason(reason).ja
    title, _, disposition, to_do = row_of(reason, f"| {says} |")
    assert title == says
    assert disposition == TEXTS.disposition(DISPOSITION_OF[reason]).ja
    assert to_do


@pytest.mark.parametrize("gate", Gate)
def test_each_question_is_in_it_with_what_yes_and_no_mean(gate: Gate) -> None:
    said = TEXTS.gate(gate).ja
    title, _, yes, no, where_to_look = row_of(gate, f"| {said} |")
    assert title == said
    assert (yes, no) == tuple(meaning.ja for meaning in TEXTS.meanings(gate))
    assert where_to_look


def test_each_japanese_picture_and_each_page_that_it_names_is_there() -> None:
    named = [told for told in re.findall(r"\]\(([^)]+)\)", PAGE) if "://" not in told]
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", PAGE)
    assert len(re.findall(r"!\[[^\]]+\]\(screenshots/", PAGE)) >= 5
    assert all(picture.endswith("-ja.png") for picture in pictures)
    assert [told for told in named if not (DOCS / told).is_file()] == []


def test_words_that_it_quotes_from_the_page_are_the_pages() -> None:
    labels = TEXTS.labels()
    for section, word in (
        ("page", "technical"),
        ("wall", "queue"),
        ("wall", "replug"),
        ("wall", "tray"),
        ("wall", "dont_pull"),
        ("wall", "find"),
        ("board", "title"),
        ("handover", "title"),
        ("nav", "disposal"),
        ("nav", "handsets"),
    ):
        assert labels[section][word].ja in PAGE, (section, word)


def test_each_key_is_in_it_as_the_page_tells_it() -> None:
    script = resources.files("benchd").joinpath("web", "static", "help.js").read_text("utf-8")
    keys = re.findall(r'^  \["([^"]+)", "(\w+)"\],$', script, re.MULTILINE)
    assert len(keys) > 8
    told = TEXTS.labels()["help"]
    for key, what in keys:
        assert f"| {' '.join(key.split())} | {told[what].ja}" in PAGE, key


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under this heading."""
    part = WORDS.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_on_words_says_that_nobody_of_the_trade_has_read_it() -> None:
    assert "**まだ、現場の人は誰もこの言葉を読んで確かめていません。**" in WORDS


def test_each_word_is_said_somewhere_and_has_its_sources() -> None:
    said = " ".join(SAID.values())
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


@pytest.mark.parametrize("maker", MAKERS)
def test_each_makers_menus_have_a_source_or_say_that_nobody_has_seen_them(maker: str) -> None:
    [row, *_] = (
        line for line in HANDSETS.splitlines() if line.startswith("| ") and maker in line[:40]
    )
    _, build, options, _ = (cell.strip() for cell in row.strip("|").split("|"))
    for told in (build, options):
        assert re.search(r"\[\^\w+\]|未確認", told), told


@pytest.mark.parametrize(
    ("page", "link"),
    [(WORDS, r".{8,}: <https?://[^>]+>$"), (HANDSETS, r".*<https://")],
    ids=["words", "handsets"],
)
def test_each_source_is_named_and_each_named_one_is_used(page: str, link: str) -> None:
    used = set(re.findall(r"\[\^(\w+)\](?!:)", page))
    named = dict(re.findall(r"^\[\^(\w+)\]: (.+)$", page, re.MULTILINE))
    assert used == named.keys()
    assert all(re.search(link, text) for text in named.values())
