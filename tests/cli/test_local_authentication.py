"""Whoever does what the daemon has no part in is on record and shows it; here while none runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.cli.local_authentication import name_of_whoever_may
from benchd.domain.authority import Action
from benchd.domain.errors import MoreToShow, NotAllowed, NotSignedIn
from tests.cli.people_commands import BADGE, PIN, people


@pytest.fixture
def shop(config: Path) -> Path:
    people(config, "add", "sato", "--name", "佐藤 健", "--role", "administrator")
    people(config, "add", "mori", "--name", "森 葵", "--role", "operator")
    people(config, "pin", "mori", "--from-file", "-", typed=PIN)
    return config


def name(config: Path, person: str, pin: str, badge: str | None = None) -> str:
    folder = config.parent
    (folder / "pin").write_text(pin)
    if badge is not None:
        (folder / "badge").write_text(badge)
    return name_of_whoever_may(
        Action.ATTEST,
        person,
        config,
        pin_file=folder / "pin",
        badge_file=None if badge is None else folder / "badge",
    )


def test_it_is_the_name_on_record(shop: Path) -> None:
    assert name(shop, "mori", PIN) == "森 葵"
    people(shop, "badge", "mori", "--from-file", "-", typed=BADGE)
    assert name(shop, "mori", PIN, BADGE) == "森 葵"


@pytest.mark.parametrize(
    ("person", "pin", "badge"),
    [
        ("mori", "551903", None),
        ("kato", PIN, None),
        ("mori", PIN, "B-0031-9920"),
        ("森 葵", PIN, None),
        ("sato", "", None),
    ],
)
def test_a_claim_is_not_enough(shop: Path, person: str, pin: str, badge: str | None) -> None:
    with pytest.raises(NotSignedIn):
        name(shop, person, pin, badge)


def test_a_pin_alone_of_who_has_a_badge_is_too_little(shop: Path) -> None:
    people(shop, "badge", "mori", "--from-file", "-", typed=BADGE)
    with pytest.raises(MoreToShow):
        name(shop, "mori", PIN)


def test_another_role_and_a_person_who_left_may_not(shop: Path) -> None:
    people(shop, "role", "mori", "--role", "confirmer")
    with pytest.raises(NotAllowed):
        name(shop, "mori", PIN)
    people(shop, "role", "mori", "--role", "operator")
    people(shop, "disable", "mori")
    with pytest.raises(NotAllowed):
        name(shop, "mori", PIN)
