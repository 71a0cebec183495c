"""A cure names pages and examples where they lie on this machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchd.cli.doctor.doctor_command import cured
from benchd.cli.messages import both, catalogue

PAGES = ("docs/keys.md", "docs/service.md", "docs/watching.md", "docs/runbooks/recovery.md")
RULES = "configs/prometheus/rules"
FACTS = {"path": "configs/benchd.toml", "name": "A", "count": "1", "value": "v"}
"""Of a checkout: what was named on the command line stays as it is."""
PLACE = re.compile(r"[\w./-]*\b(?:docs|configs)/[\w./-]*\w", re.ASCII)


@pytest.fixture
def manuals(tmp_path: Path) -> Path:
    """What an installation has put there."""
    (tmp_path / RULES).mkdir(parents=True)
    for page in PAGES:
        (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / page).touch()
    return tmp_path


@pytest.mark.parametrize("cure", [f"cure.{word}" for word in catalogue().section("cure")])
def test_each_page_that_a_cure_names_is_named_by_its_whole_path(manuals: Path, cure: str) -> None:
    plain, told = both(cure, **FACTS), cured(cure, FACTS, manuals)
    for before, after in ((plain.ja, told.ja), (plain.en, told.en)):
        expected = [
            place if place == FACTS["path"] else f"{manuals}/{place}"
            for place in PLACE.findall(before)
        ]
        assert PLACE.findall(after) == expected


def test_alerts_are_loaded_from_where_the_installation_has_put_them(manuals: Path) -> None:
    told = cured("cure.load_alerts", {}, manuals)
    for text in (told.ja, told.en):
        assert f"{manuals}/{RULES}" in text
        assert f"{manuals}/docs/watching.md" in text


def test_a_checkout_names_its_own_pages(tmp_path: Path) -> None:
    assert cured("cure.load_alerts", {}, tmp_path) == both("cure.load_alerts")
