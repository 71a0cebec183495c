"""Certificates of the second form verify for ever, by the rules of their time."""

from __future__ import annotations

from typing import Any

import pytest

from benchd.certificate import verify_certificate
from benchd.certificate.document import gaps_of
from benchd.certificate.issuer import sign_statement
from benchd.certificate.second_form import SECOND_PREDICATE_TYPE
from benchd.certificate.sentences import Sentence
from benchd.signing.key import SigningKey
from benchd.words.ids import Evidence
from tests.certificate.older_forms import before_what_was_free

from .certificate_rack import without_identity

LATER = ("clock", "intake", "recheck", "benchd_commit", "sim_lock")
OF_PEOPLE = ("person", "shown_by", "source")


def as_it_was(statement: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The same statement as a benchd without people, lots and a watched clock has made it."""
    predicate = statement["predicate"]
    decisions = [
        {name: value for name, value in one.items() if name not in OF_PEOPLE}
        for one in predicate["decisions"]
    ]
    confirmation = {
        name: value for name, value in predicate["confirmation"].items() if name != "person"
    }
    changed = {
        **before_what_was_free(without_identity(predicate)),
        "decisions": decisions,
        "confirmation": confirmation,
    }
    for name in LATER:
        del changed[name]
    changed["not_reached"] = [each for each in changed["not_reached"] if each != Sentence.ESIM]
    return {**statement, "predicateType": SECOND_PREDICATE_TYPE, "predicate": changed}


def test_it_verifies(key: SigningKey, statement: Evidence) -> None:
    old = as_it_was(statement)
    assert gaps_of(old) == ()
    assert verify_certificate(sign_statement(old, key), key.public_key_pem) == old


def test_its_names_are_not_taken_for_people(statement: Evidence) -> None:
    told = as_it_was(statement)
    today = {**told, "predicateType": statement["predicateType"]}
    assert "person is missing" in "; ".join(gaps_of(today))


def test_nothing_of_todays_form_stands_in_it(statement: Evidence) -> None:
    told = {**statement, "predicateType": SECOND_PREDICATE_TYPE}
    assert gaps_of(told) != ()


@pytest.mark.parametrize("name", LATER)
def test_each_section_of_todays_form_is_todays_alone(statement: Evidence, name: str) -> None:
    predicate: Any = statement["predicate"]
    without = {key: value for key, value in predicate.items() if key != name}
    assert f"{name} is missing" in "; ".join(gaps_of({**statement, "predicate": without}))
    told = as_it_was(statement)
    assert gaps_of({**told, "predicate": {**told["predicate"], name: predicate[name]}}) != ()


@pytest.mark.parametrize("name", ["鈴木", "鈴木 "])
def test_one_name_still_does_not_confirm(statement: Evidence, name: str) -> None:
    told = as_it_was(statement)
    predicate = told["predicate"]
    told["predicate"] = {
        **predicate,
        "decisions": [
            {**predicate["decisions"][0], "operator": name},
            *predicate["decisions"][1:],
        ],
    }
    assert "second person" in "; ".join(gaps_of(told))
