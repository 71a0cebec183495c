"""The shop's page on handsets tells where it has what it says from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "handsets.ja.md").read_text(encoding="utf-8")
MAKERS = (
    *("Google", "ソニー", "シャープ", "FCNT", "サムスン", "OPPO"),
    *("シャオミ", "モトローラ", "京セラ", "HUAWEI", "HONOR", "ASUS"),
)


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
