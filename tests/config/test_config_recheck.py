"""A share that is drawn for a recheck: only with the recipe for it, and three people."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchd.daemon.config_check import has_staff
from benchd.domain.ids import OperatorName
from benchd.domain.people import By, Person, PersonId, Role
from benchd.ledger.ledger_store import LedgerStore
from benchd.people.person_change import Change, entry_of
from tests.config.config_folder import SITE, messages
from tests.ledger.ledger_rack import RackKey

CONFIGS = Path(__file__).parents[2] / "configs"
NOW = datetime(2026, 11, 26, tzinfo=UTC)
OPERATOR, CONFIRMER = Role.OPERATOR, Role.CONFIRMER
STAFF = {"ito": (OPERATOR,), "sato": (CONFIRMER,), "tanaka": (CONFIRMER,)}


def person(name: str, *roles: Role, gone: datetime | None = None) -> Person:
    return Person(
        id=PersonId(name),
        name=OperatorName(name),
        reading="",
        roles=frozenset(roles),
        disabled_from=gone,
    )


@pytest.mark.parametrize(
    ("people", "enough"),
    [
        ([], False),
        ([person(name, *roles) for name, roles in STAFF.items()], True),
        ([person(name, OPERATOR, CONFIRMER) for name in ("a", "b", "c")], True),
        ([person(name, OPERATOR, CONFIRMER) for name in ("a", "b")], False),
        ([person("a", OPERATOR), person("b", CONFIRMER), person("c", Role.SUPERVISOR)], False),
        ([person(name, CONFIRMER) for name in ("a", "b", "c")], False),
        (
            [
                *(person(name, *roles) for name, roles in STAFF.items() if name != "sato"),
                person("sato", CONFIRMER, gone=NOW),
            ],
            False,
        ),
    ],
)
def test_three_people_have_to_have_another_part_each(people: list[Person], *, enough: bool) -> None:
    assert has_staff(people, NOW) is enough


@pytest.fixture(autouse=True)
def recipes(folder: Path) -> Path:
    """The shipped recipes, of which one draws, and a configuration beside them."""
    shutil.copytree(CONFIGS / "recipes", folder / "recipes", dirs_exist_ok=True)
    file = folder / "recipes" / "overwrite.toml"
    file.write_text(file.read_text().replace("recheck_share = 0.0", "recheck_share = 0.05"))
    return file.parent


def told() -> list[str]:
    return messages(SITE + '[ledger]\npath = "ledger.sqlite"\n')


def write_people(folder: Path, *people: Person) -> None:
    store = LedgerStore(folder / "ledger.sqlite", RackKey())
    for one in people:
        by = By(actor=None, source="socket, uid 0")
        store.append(entry_of(Change.ADDED, one, by=by, at=NOW))
    store.close()


def test_too_few_people_are_told_with_the_cure(folder: Path) -> None:
    assert told() == []  # without a ledger nobody can be counted
    write_people(folder, person("ito", OPERATOR, CONFIRMER), person("sato", CONFIRMER))
    [message] = told()
    assert message.startswith("recipes/overwrite.toml:")
    assert "recheck_share: a recheck needs three people" in message
    assert "benchd people add" in message
    write_people(folder, person("tanaka", CONFIRMER))
    assert told() == []


def test_three_are_enough(folder: Path) -> None:
    write_people(folder, *(person(name, *roles) for name, roles in STAFF.items()))
    assert told() == []


def test_a_ledger_that_cannot_be_read_accuses_nobody(folder: Path) -> None:
    (folder / "ledger.sqlite").write_bytes(b"no ledger")
    assert told() == []


def test_without_its_recipe_what_is_drawn_would_never_be_rechecked(folder: Path) -> None:
    (folder / "recipes" / "drawn_recheck.toml").unlink()
    [message] = told()
    assert "no recipe has certify_drawn" in message
