"""Evidence at the ledger's edge: exact in its own form, tolerant of the first one, never lax."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchd.errors import CertificateGap
from benchd.proof.evidence.forms import FORM, FORM_BEFORE_NUMBERS, read_evidence, to_json
from benchd.proof.evidence.job import ErasureEvidence, JobEvidence
from benchd.proof.recheck import RECHECK_STAGES
from benchd.words.ids import Evidence
from benchd.words.job import StageName
from tests import recorded

CURRENT = {
    StageName.OVERWRITE: recorded.overwrite(bytes_written=5),
    StageName.READ_BACK: recorded.read_back(coverage=0.5),
    StageName.FELICA_CHECK: recorded.chip(),
}


@pytest.mark.parametrize("stage", CURRENT)
def test_what_is_written_is_read_as_it_was(stage: StageName) -> None:
    evidence = read_evidence(stage, CURRENT[stage], FORM)
    assert to_json(evidence) == CURRENT[stage]


@pytest.mark.parametrize("stage", CURRENT)
def test_every_field_that_is_missing_is_refused_in_todays_form(stage: StageName) -> None:
    for name in CURRENT[stage]:
        less = {key: value for key, value in CURRENT[stage].items() if key != name}
        with pytest.raises(CertificateGap, match=name):
            read_evidence(stage, less, FORM)


@pytest.mark.parametrize("stage", CURRENT)
def test_a_field_that_is_not_known_is_refused_in_todays_form(stage: StageName) -> None:
    with pytest.raises(CertificateGap, match="surplus"):
        read_evidence(stage, {**CURRENT[stage], "surplus": 1}, FORM)


def test_a_field_inside_of_a_list_is_no_less_exact() -> None:
    files: Any = [{"name": "fill-0.dat", "stream_offset": 0, "size_bytes": 5, "surplus": 1}]
    with pytest.raises(CertificateGap, match="inside"):
        read_evidence(StageName.OVERWRITE, {**recorded.overwrite(), "files": files}, FORM)


def test_the_first_form_left_out_what_did_not_apply_and_knew_less() -> None:
    first: Evidence = {"source": "operator", "verdict": "unused", "said_then": "and no more"}
    evidence = read_evidence(StageName.FELICA_CHECK, first, FORM_BEFORE_NUMBERS)
    assert evidence == replace(recorded.CHIP, source="operator")


@pytest.mark.parametrize("form", [FORM_BEFORE_NUMBERS, FORM])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bytes_written", True),
        ("bytes_written", 5.0),
        ("bytes_written", "5"),
        ("bytes_written", -1),
        ("bytes_written", None),
        ("cipher", 5),
        ("cipher", "\ud800"),
        ("full_s", math.nan),
        ("full_s", "1"),
        ("files", {}),
        ("files", "x"),
        ("files", [{"name": "x", "stream_offset": "0", "size_bytes": 5}]),
    ],
)
def test_a_value_of_another_type_is_refused_in_any_form(
    form: int, field: str, value: object
) -> None:
    data = cast("Evidence", {**recorded.overwrite(bytes_written=5), field: value})
    with pytest.raises(CertificateGap, match="overwrite"):
        read_evidence(StageName.OVERWRITE, data, form)


@pytest.mark.parametrize("form", [FORM + 1, 99])
def test_a_form_of_tomorrow_is_refused(form: int) -> None:
    with pytest.raises(CertificateGap, match="isn't known"):
        read_evidence(StageName.OVERWRITE, CURRENT[StageName.OVERWRITE], form)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(stage=st.sampled_from([each.name for each in fields(JobEvidence)]), data=JSON)
@pytest.mark.parametrize("form", [FORM_BEFORE_NUMBERS, FORM])
def test_whatever_stands_there_is_evidence_or_a_gap(form: int, stage: str, data: object) -> None:
    with suppress(CertificateGap):
        read_evidence(stage, cast("Evidence", data), form)


@given(change=st.dictionaries(st.sampled_from(sorted(recorded.overwrite())), JSON, min_size=1))
def test_what_is_read_exactly_is_written_the_same(change: dict[str, Any]) -> None:
    data = {**recorded.overwrite(), **change}
    try:
        evidence = read_evidence(StageName.OVERWRITE, data, FORM)
    except CertificateGap:
        return
    assert to_json(evidence) == json.loads(json.dumps(data))


def test_every_stage_of_an_erasure_has_its_evidence() -> None:
    assert [each.name for each in fields(ErasureEvidence)] == [
        each.name for each in fields(JobEvidence) if each.name not in RECHECK_STAGES
    ]
