"""What a certificate says of a chip: who looked, compared with what, and how that is known."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchd.certificate import SigningKey, gaps_of, sign_statement
from benchd.certificate.statement import statement_of
from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import Evidence
from benchd.signing import canonical
from tests.certificate.certificate_rack import (
    INFERRED,
    ISSUED_AT,
    STORIES,
    ChipStory,
    proven_erasure,
)


def statement_on(story: ChipStory) -> Evidence:
    erasure = proven_erasure(chip=story)
    return to_json(statement_of(erasure, at=ISSUED_AT, site="大宮", benchd_version="0.1.0"))


def words_on(story: ChipStory) -> dict[str, Any]:
    return json.loads(canonical.encode(statement_on(story)))["predicate"]["felica"]


@pytest.mark.parametrize("name", STORIES)
def test_each_proven_story_is_certified_in_a_form_that_verifies(name: str, key: SigningKey) -> None:
    assert sign_statement(statement_on(STORIES[name]), key)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("looked at", ("in_use", "claimed: done", "unused", "operator", None, None)),
        ("scanned", ("unused", "skipped: chip_unused", "unused", "reader", "m41/3", "observed")),
        ("cleared", ("in_use", "claimed: done", "unused", "reader", "m41/3", "observed")),
        (
            "simulated",
            ("unused", "skipped: chip_unused", "unused", "reader", "virtual/1", "simulated"),
        ),
        ("inferred", ("unused", "skipped: chip_unused", "unused", "reader", "m41/3", "inferred")),
        ("without chip", ("no_chip", "skipped: no_chip", "no_chip", "reader", None, None)),
    ],
)
def test_it_says_what_the_records_say(name: str, said: tuple[str | None, ...]) -> None:
    words = words_on(STORIES[name])
    keys = ("check", "clear", "recheck", "source", "baseline", "baseline_kind")
    assert tuple(words[key] for key in keys) == said


@pytest.mark.parametrize(
    ("name", "plainly", "sources"),
    [
        ("looked at", "no reader looked at the chip", ["operator: felica_recheck"]),
        ("scanned", "observed on a handset", ["reader: unused"]),
        (
            "simulated",
            "only simulated: this says nothing about a real chip",
            ["reader: unused", "operator: felica_attest"],
        ),
        ("inferred", "only inferred", ["reader: unused", "operator: felica_attest"]),
        (
            "without chip",
            "nothing answered over the air",
            ["reader: silent", "handset: not capable", "operator: no chip"],
        ),
    ],
)
def test_it_names_plainly_what_it_rests_on(name: str, plainly: str, sources: list[str]) -> None:
    words = words_on(STORIES[name])
    assert plainly in words["basis"]
    assert words["sources"] == sources


def test_a_picture_of_unknown_origin_is_called_so() -> None:
    story = ChipStory(
        check=INFERRED.check,
        clear=INFERRED.clear,
        recheck={**INFERRED.recheck, "baseline_kind": None},
        answers=INFERRED.answers,
    )
    words = words_on(story)
    assert words["baseline_kind"] == "unknown"
    assert "unknown origin" in words["basis"]
    assert words["sources"] == ["reader: unused", "operator: felica_attest"]


@pytest.mark.parametrize("name", STORIES)
def test_no_chip_is_told_by_its_hash(name: str) -> None:
    assert "c0ffee00" not in str(words_on(STORIES[name]))


@pytest.mark.parametrize("name", STORIES)
def test_nothing_of_it_can_be_said_otherwise(name: str, key: SigningKey) -> None:
    good = json.loads(canonical.encode(statement_on(STORIES[name])))
    other = {"observed", "simulated", "inferred", "unknown", "operator", "reader", "in_use"}
    other |= {"unused", "no_chip", "silent", "", "erased"}
    for field in ("recheck", "source", "sources", "baseline_kind", "basis"):
        said = good["predicate"]["felica"][field]
        for value in [*(other - {said if isinstance(said, str) else ""}), None, 7, [], ["x"]]:
            if value == said:
                continue
            good["predicate"]["felica"][field] = value
            assert gaps_of(good), (field, value)
            with pytest.raises(CertificateGap):
                sign_statement(good, key)
        good["predicate"]["felica"][field] = said
    baseline = good["predicate"]["felica"]["baseline"]
    for value in (None, "") if baseline else ("m41/3", "x"):
        good["predicate"]["felica"]["baseline"] = value
        assert gaps_of(good), value
    good["predicate"]["felica"]["baseline"] = baseline
    assert not gaps_of(good)
