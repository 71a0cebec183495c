"""What a certificate says of a chip: who looked, compared with what, and how that is known."""

from __future__ import annotations

import json
from dataclasses import replace

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


SKIPPED = "skipped: chip_unused"
ATTESTED = ["reader: unused", "operator: felica_attest"]
UNKNOWN_ORIGIN = replace(INFERRED, recheck={**INFERRED.recheck, "baseline_kind": None})


@pytest.mark.parametrize(
    ("story", "said", "plainly", "sources"),
    [
        pytest.param(
            STORIES["looked at"],
            ("in_use", "claimed: done", "unused", "operator", None, None),
            "no reader looked at the chip",
            ["operator: felica_recheck"],
            id="looked at",
        ),
        pytest.param(
            STORIES["scanned"],
            ("unused", SKIPPED, "unused", "reader", "m41/3", "observed"),
            "observed on a handset",
            ["reader: unused"],
            id="scanned",
        ),
        pytest.param(
            STORIES["cleared"],
            ("in_use", "claimed: done", "unused", "reader", "m41/3", "observed"),
            "observed on a handset",
            ["reader: unused"],
            id="cleared",
        ),
        pytest.param(
            STORIES["simulated"],
            ("unused", SKIPPED, "unused", "reader", "virtual/1", "simulated"),
            "only simulated: this says nothing about a real chip",
            ATTESTED,
            id="simulated",
        ),
        pytest.param(
            STORIES["inferred"],
            ("unused", SKIPPED, "unused", "reader", "m41/3", "inferred"),
            "only inferred",
            ATTESTED,
            id="inferred",
        ),
        pytest.param(
            UNKNOWN_ORIGIN,
            ("unused", SKIPPED, "unused", "reader", "m41/3", "unknown"),
            "unknown origin",
            ATTESTED,
            id="of unknown origin",
        ),
        pytest.param(
            STORIES["without chip"],
            ("no_chip", "skipped: no_chip", "no_chip", "reader", None, None),
            "nothing answered over the air",
            ["reader: silent", "handset: not capable", "operator: no chip"],
            id="without chip",
        ),
    ],
)
def test_it_says_what_the_records_say_and_plainly_what_that_rests_on(
    story: ChipStory,
    said: tuple[str | None, ...],
    plainly: str,
    sources: list[str],
    key: SigningKey,
) -> None:
    statement = statement_on(story)
    assert sign_statement(statement, key)
    words = json.loads(canonical.encode(statement))["predicate"]["felica"]
    keys = ("check", "clear", "recheck", "source", "baseline", "baseline_kind")
    assert tuple(words[key] for key in keys) == said
    assert plainly in words["basis"]
    assert words["sources"] == sources
    assert "c0ffee00" not in str(words)


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
