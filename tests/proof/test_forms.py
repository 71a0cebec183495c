"""Evidence at the ledger's edge: exact, and of one form; any other is refused by its number."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchd.domain import evidence_json
from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import FORM, OLDEST_FORM, to_json
from benchd.domain.ids import Evidence, JobId
from benchd.domain.job import StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence import job_evidence
from benchd.proof.evidence.job_evidence import ErasureEvidence, JobEvidence, read_evidence
from benchd.proof.recheck_proof import RECHECK_STAGES
from benchd.proof.stage_order import REQUIRED_STAGES
from tests import recorded
from tests.certificate.certificate_rack import JOB, records_of_an_erasure

CURRENT = {
    StageName.OVERWRITE: recorded.overwrite(bytes_written=5),
    StageName.READ_BACK: recorded.read_back(coverage=0.5),
    StageName.FELICA_CHECK: recorded.chip(),
}


@pytest.mark.parametrize("stage", CURRENT)
def test_todays_form_is_read_as_it_was_written_with_no_field_less_or_more(
    stage: StageName,
) -> None:
    told = CURRENT[stage]
    assert to_json(read_evidence(stage, told, FORM)) == told
    for name in told:
        less = {key: value for key, value in told.items() if key != name}
        with pytest.raises(CertificateGap, match=name):
            read_evidence(stage, less, FORM)
    with pytest.raises(CertificateGap, match="surplus"):
        read_evidence(stage, {**told, "surplus": 1}, FORM)


def test_a_field_inside_of_a_list_is_no_less_exact() -> None:
    files: Any = [{"name": "fill-0.dat", "stream_offset": 0, "size_bytes": 5, "surplus": 1}]
    with pytest.raises(CertificateGap, match="inside"):
        read_evidence(StageName.OVERWRITE, {**recorded.overwrite(), "files": files}, FORM)


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
def test_a_value_of_another_type_is_refused(field: str, value: object) -> None:
    data = cast("Evidence", {**recorded.overwrite(bytes_written=5), field: value})
    with pytest.raises(CertificateGap, match="overwrite"):
        read_evidence(StageName.OVERWRITE, data, FORM)


@pytest.mark.parametrize("form", [FORM + 1, 99])
def test_a_form_of_tomorrow_is_refused(form: int) -> None:
    with pytest.raises(CertificateGap, match="isn't known"):
        read_evidence(StageName.OVERWRITE, CURRENT[StageName.OVERWRITE], form)


OLDER = [*range(1, OLDEST_FORM), None]
"""None is the first, which had no number."""


def with_form(form: int | None, stage: str | None = None) -> list[StoredEntry]:
    """The records of an erasure with one stage's evidence of another form, or that of all."""
    found: list[StoredEntry] = []
    for record in records_of_an_erasure():
        data = dict(record.entry.data)
        if record.entry.kind is EntryKind.STAGE_ENDED and stage in (None, data["stage"]):
            del data["form"]
            data |= {} if form is None else {"form": form}
        found.append(replace(record, entry=replace(record.entry, data=data)))
    return found


def test_numbers_of_forms_before_the_first_release_are_not_used_again() -> None:
    assert FORM >= OLDEST_FORM == 6


@pytest.mark.parametrize("form", OLDER)
def test_an_older_form_is_refused_by_its_name_with_the_cure(form: int | None) -> None:
    verify_erasure(JOB, with_form(FORM))
    for stage in (None, *REQUIRED_STAGES):
        with pytest.raises(CertificateGap) as refused:
            verify_erasure(JOB, with_form(form, stage))
        assert f"its evidence is of form {form or 1}, from before" in str(refused.value)
        assert "begin a new ledger and run the handset again" in str(refused.value)


@pytest.mark.parametrize("form", OLDER)
def test_what_an_older_form_tells_of_a_handset_is_not_passed_over(form: int | None) -> None:
    """One that its job sent to be destroyed would pass."""
    with pytest.raises(CertificateGap, match="from before benchd's first release"):
        verify_erasure(JobId("20261124-A1-0099"), with_form(FORM), others=with_form(form))


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Evidence of a form that has got a field more."""

    scale: str
    weight_g: int | None = None


def test_a_second_form_adds_a_field_and_the_first_is_read_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """docs/extending.md, A second form."""
    for module in (evidence_json, job_evidence):
        monkeypatch.setattr(module, "FORM", FORM + 1)
    monkeypatch.setattr(job_evidence, "_kinds", lambda: {"weigh": Weighed})
    first: Evidence = {"scale": "s1"}
    second: Evidence = {"scale": "s1", "weight_g": 172}
    assert read_evidence("weigh", first, FORM) == Weighed(scale="s1")
    assert read_evidence("weigh", second, FORM + 1) == Weighed(scale="s1", weight_g=172)
    with pytest.raises(CertificateGap, match="weight_g"):
        read_evidence("weigh", first, FORM + 1)
    for unread in (OLDEST_FORM - 1, FORM + 2):
        with pytest.raises(CertificateGap, match=f"is of form {unread}"):
            read_evidence("weigh", second, unread)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(stage=st.sampled_from([each.name for each in fields(JobEvidence)]), data=JSON)
def test_whatever_stands_there_is_evidence_or_a_gap(stage: str, data: object) -> None:
    with suppress(CertificateGap):
        read_evidence(stage, cast("Evidence", data), FORM)


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
