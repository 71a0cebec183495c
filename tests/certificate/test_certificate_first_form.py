"""A certificate of the first form is judged by that form's own fields, words and rules."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchd.certificate import SigningKey, gaps_of, sign_statement, verify_certificate
from benchd.certificate.first_form import FIRST_PREDICATE_TYPE
from benchd.certificate.statement import PREDICATE_TYPE
from benchd.words.ids import Evidence

RACK = Path(__file__).parents[1] / "compatibility" / "rack-0.1" / "certificates"
Document = dict[str, Any]
Change = Callable[[Document], object]


def statement_in(file: Path) -> Document:
    return json.loads(base64.b64decode(json.loads(file.read_bytes())["payload"]))


STATEMENTS = {file.stem: statement_in(file) for file in sorted(RACK.glob("*.json"))}
FIRST = next(iter(STATEMENTS.values()))


def changed(change: Change) -> Document:
    document = copy.deepcopy(FIRST)
    change(document["predicate"])
    return document


@pytest.mark.parametrize("job", STATEMENTS)
def test_each_is_a_certificate_by_its_own_rules_and_of_no_other_form(job: str) -> None:
    assert STATEMENTS[job]["predicateType"] == FIRST_PREDICATE_TYPE
    assert gaps_of(STATEMENTS[job]) == ()
    assert gaps_of({**STATEMENTS[job], "predicateType": PREDICATE_TYPE})


def test_it_reads_back_byte_for_byte(key: SigningKey) -> None:
    data = sign_statement(FIRST, key)
    assert verify_certificate(data, key.public_key_pem) == FIRST
    payload = base64.b64decode(json.loads(data)["payload"])
    assert payload == base64.b64decode(
        json.loads((RACK / f"{FIRST['predicate']['job']}.json").read_bytes())["payload"]
    )


def test_todays_statement_is_none_of_the_first_form(statement: Evidence) -> None:
    told = json.loads(json.dumps(statement))
    assert gaps_of(told) == ()
    [gap] = gaps_of({**told, "predicateType": FIRST_PREDICATE_TYPE})
    assert "a field inside of it is missing or unknown" in gap


def test_it_may_be_older_than_a_decision_which_its_rules_never_asked() -> None:
    early = changed(lambda predicate: predicate.update(issued_at="2020-01-01T00:00:00+00:00"))
    assert gaps_of(early) == ()


REFUSED: dict[str, tuple[Change, str]] = {
    "a field of the second form": (lambda p: p.update(bound_by=["faith"]), "field inside"),
    "a word of the second form": (
        lambda p: p["felica"].update(
            basis="scanned over the air, its systems and nodes those of an unused chip"
        ),
        "felica.basis",
    ),
    "a small sample": (
        lambda p: (
            p.update(technique="a sample"),
            p["verification"].update(
                mode="sampled",
                bytes_proven=int(0.0999 * p["overwrite"]["bytes_written"]),
            ),
        ),
        "too small",
    ),
    "a bad byte": (lambda p: p["verification"].update(bytes_bad=1), "aren't those written"),
    "purge": (lambda p: p.update(technique="Purge"), "Purge"),
    "a picture from nowhere": (
        lambda p: p["felica"].update(baseline_kind="seen"),
        "comes from",
    ),
}


@pytest.mark.parametrize("lie", REFUSED)
def test_its_rules_still_refuse(lie: str) -> None:
    change, told = REFUSED[lie]
    assert told in "; ".join(gaps_of(changed(change)))


def test_every_field_of_it_that_is_missing_is_refused() -> None:
    for section, content in FIRST["predicate"].items():
        assert gaps_of(changed(lambda predicate, name=section: predicate.pop(name))), section
        if isinstance(content, dict):
            for field in content:
                less = changed(lambda p, name=section, key=field: p[name].pop(key))
                assert gaps_of(less), (section, field)


def test_a_type_that_nobody_knows_is_refused() -> None:
    unknown = {**FIRST, "predicateType": "urn:benchd:certificate-of-erasure:v99"}
    assert "predicateType" in "; ".join(gaps_of(unknown))
