"""The operators' manual says what the page says, for every problem, question and end."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from benchd.domain.job import DISPOSITION_OF, Gate, Reason
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.texts.catalogue import Catalogue

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "operators.ja.md").read_text(encoding="utf-8")
TEXTS = Catalogue.load()
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


def test_each_picture_and_each_page_that_it_names_is_there() -> None:
    named = [told for told in re.findall(r"\]\(([^)]+)\)", PAGE) if "://" not in told]
    assert len(re.findall(r"!\[[^\]]+\]\(screenshots/", PAGE)) >= 5
    assert [told for told in named if not (DOCS / told).is_file()] == []


@pytest.mark.parametrize("picture", re.findall(r"!\[[^\]]*\]\(([^)]+)\)", PAGE))
def test_its_pictures_are_japanese(picture: str) -> None:
    assert picture.endswith("-ja.png")


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
