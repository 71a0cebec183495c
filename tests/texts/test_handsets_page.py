"""The shop's page on handsets tells what the wall says, and where it has the rest from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchd.texts.catalogue import Catalogue
from benchd.words.job import DISPOSITION_OF, Reason
from benchd.words.slot import ProblemCode, ProblemView

PAGE = (Path(__file__).parents[2] / "docs" / "handsets.ja.md").read_text(encoding="utf-8")
TEXTS = Catalogue.load()
FILLED_IN = {"reader": "○", "percent": "○", "degrees": "○", "port_path": "○"}
MAKERS = (
    *("Google", "ソニー", "シャープ", "FCNT", "サムスン", "OPPO"),
    *("シャオミ", "モトローラ", "京セラ", "HUAWEI", "HONOR", "ASUS"),
)


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


@pytest.mark.parametrize("maker", MAKERS)
def test_each_makers_menus_have_a_source_or_say_that_nobody_has_seen_them(maker: str) -> None:
    [row, *_] = (line for line in PAGE.splitlines() if line.startswith("| ") and maker in line[:40])
    _, build, options, _ = (cell.strip() for cell in row.strip("|").split("|"))
    for told in (build, options):
        assert re.search(r"\[\^\w+\]|未確認", told), told


def test_each_source_is_named_and_each_named_one_is_used() -> None:
    used = set(re.findall(r"\[\^(\w+)\](?!:)", PAGE))
    named = dict(re.findall(r"^\[\^(\w+)\]: (.+)$", PAGE, re.MULTILINE))
    assert used == named.keys()
    assert all("<https://" in text for text in named.values())
