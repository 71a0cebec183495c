"""What people read of errors: in Japanese a sentence of the catalogue first."""

from __future__ import annotations

import re

import pytest

from benchd.domain import errors
from benchd.domain.errors import (
    BenchdError,
    ConfigInvalid,
    ConfigIssue,
    DecisionRefused,
    DependencyMissing,
    LedgerBroken,
    NotFound,
    PersonRefused,
    SlotBusy,
    TransientFault,
)
from benchd.texts.catalogue import Catalogue
from benchd.texts.failures import failure_text

JAPANESE = re.compile(r"[ぁ-んァ-ン一-龥]")
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, BenchdError)
]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_error_begins_in_japanese(
    kind: type[BenchdError], catalogue: Catalogue
) -> None:
    error = kind.__new__(kind)
    error.args = ("sda7: rc 5",)
    first, *detail = failure_text(error, catalogue, "ja").splitlines()
    assert JAPANESE.search(first)
    assert detail == ["sda7: rc 5"]
    assert failure_text(error, catalogue, "en") == "sda7: rc 5"


def test_an_error_of_its_own_kind_is_told_by_that(catalogue: Catalogue) -> None:
    told = failure_text(NotFound("no job x"), catalogue, "ja")
    assert told == f"{catalogue.text('failure.not_found').ja}\nno job x"
    busy, fault = SlotBusy("A1"), TransientFault("closed")
    assert catalogue.text("failure.benchd_error").ja in failure_text(busy, catalogue, "ja")
    assert catalogue.text("failure.handset_fault").ja in failure_text(fault, catalogue, "ja")
    broken = LedgerBroken("record 7", sequence=7)
    assert catalogue.text("failure.ledger_broken").ja in failure_text(broken, catalogue, "ja")
    person = failure_text(PersonRefused("two of mori"), catalogue, "ja")
    assert catalogue.text("refusal.person_refused").ja in person


def test_a_refusal_of_the_daemon_is_told_by_its_code(catalogue: Catalogue) -> None:
    error = DecisionRefused("sato has worked on it")
    error.refusal = "second_person_needed"
    told = failure_text(error, catalogue, "ja")
    assert told.splitlines() == [
        catalogue.text("refusal.second_person_needed").ja,
        "sato has worked on it",
    ]


@pytest.mark.parametrize("code", ["not_found", "of_next_year", "benchd_error", ""])
def test_a_code_that_says_nothing_here_leaves_it_to_the_kind(
    code: str, catalogue: Catalogue
) -> None:
    error = DecisionRefused("no")
    error.refusal = code
    told = failure_text(error, catalogue, "ja")
    assert told == f"{catalogue.text('failure.decision_refused').ja}\nno"


def test_words_of_its_own_need_no_detail(catalogue: Catalogue) -> None:
    error = DependencyMissing("gone", cure="wait")
    error.japanese = "ありません\n待ちます"
    assert failure_text(error, catalogue, "ja") == "ありません\n待ちます"
    assert failure_text(error, catalogue, "en") == "gone\nwait"


def test_every_mistake_of_a_configuration_stays_below(catalogue: Catalogue) -> None:
    issues = tuple(
        ConfigIssue(file="x.toml", line=n, column=1, key="adb", message="?") for n in (1, 2)
    )
    told = failure_text(ConfigInvalid(issues), catalogue, "ja").splitlines()
    assert told[1:] == ["x.toml:1:1: adb: ?", "x.toml:2:1: adb: ?"]


def test_every_failure_is_a_kind_of_error(catalogue: Catalogue) -> None:
    names = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower() for kind in KINDS}
    assert catalogue.section("failure").keys() <= names
