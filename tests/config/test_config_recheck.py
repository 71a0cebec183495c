"""A share that is drawn for a recheck: only with the recipe for it, and three people."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchd.daemon.config_check import check_config, has_staff
from benchd.domain.ids import OperatorName
from benchd.domain.people import By, Person, PersonId, Role
from benchd.ledger.ledger_store import LedgerStore
from benchd.people.person_change import Change, entry_of
from tests.config.test_config_recipes import CERTIFIED, issues, recipe
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


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped recipes, of which one draws, and a configuration beside them."""
    shutil.copytree(CONFIGS / "recipes", tmp_path / "recipes")
    file = tmp_path / "recipes" / "overwrite.toml"
    file.write_text(file.read_text().replace("recheck_share = 0.0", "recheck_share = 0.05"))
    (tmp_path / "benchd.toml").write_text(
        '[site]\nname = "Example"\n[ledger]\npath = "ledger.sqlite"\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told() -> list[str]:
    return [str(issue) for issue in check_config(Path("benchd.toml"))]


def write_people(folder: Path, *people: Person) -> None:
    store = LedgerStore(folder / "ledger.sqlite", RackKey())
    for one in people:
        by = By(actor=None, source="socket, uid 0")
        store.append(entry_of(Change.ADDED, one, by=by, at=NOW))
    store.close()


@pytest.mark.usefixtures("folder")
def test_without_a_ledger_nobody_can_be_counted() -> None:
    assert told() == []


def test_too_few_people_are_told_with_the_cure(folder: Path) -> None:
    write_people(folder, person("ito", OPERATOR, CONFIRMER), person("sato", CONFIRMER))
    [message] = told()
    assert message.startswith("recipes/overwrite.toml:")
    assert "recheck_share: a recheck needs three people" in message
    assert "benchd people add" in message


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


@pytest.mark.parametrize("share", ["-0.1", "1.1", "nan", '"5 %"'])
def test_a_share_is_one(tmp_path: Path, share: str) -> None:
    [message] = issues(tmp_path, f"recheck_share = {share}\n{recipe(*CERTIFIED)}")
    assert "recheck_share: found" in message


RECHECK = ["find_drawn", "recheck", "certify_drawn"]


@pytest.mark.parametrize(
    ("head", "stages", "wanted"),
    [
        ("recheck_share = 0.5\n", ["inspect"], "only a recipe with certify draws"),
        ("needs_adb = false\n", [*RECHECK[1:]], "and nothing else"),
        ("needs_adb = false\n", [RECHECK[0], RECHECK[2], RECHECK[1]], "and nothing else"),
        ("needs_adb = false\n", ["look", *RECHECK], "and nothing else"),
        ("needs_adb = false\n", RECHECK[:2], "and nothing else"),
        ("", RECHECK, "allowed is needs_adb = false"),
        (
            'needs_adb = false\nends_as = "overwrite_due"\n',
            RECHECK,
            "ends with the drawn job's certificate",
        ),
    ],
)
def test_a_recheck_is_its_stages_and_nothing_else(
    tmp_path: Path, head: str, stages: list[str], wanted: str
) -> None:
    assert any(wanted in message for message in issues(tmp_path, head + recipe(*stages)))


def test_the_three_in_their_order_are_no_mistake(tmp_path: Path) -> None:
    assert issues(tmp_path, "needs_adb = false\n" + recipe(*RECHECK)) == []
