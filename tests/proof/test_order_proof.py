"""In which order an erasure was made, and which of several answers to a question counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from benchd.domain.evidence_json import FORM
from benchd.domain.job import Gate, Outcome, StageName
from benchd.domain.people import ShownBy
from benchd.proof.job_records import DecisionRecord, StageRecord
from benchd.proof.order import REQUIRED_APPROVALS, REQUIRED_STAGES, approval_gaps, order_gaps
from tests.certificate.certificate_rack import ISSUED_AT


def attempt(stage: StageName, started: int, ended: int) -> StageRecord:
    return StageRecord(
        stage=stage,
        outcome=Outcome.PASSED,
        started_sequence=started,
        ended_sequence=ended,
        started_at=ISSUED_AT,
        ended_at=ISSUED_AT,
        skipped_because=None,
        stored={},
        form=FORM,
    )


def order_of(attempts: Sequence[StageRecord]) -> list[str]:
    return order_gaps(attempts, {each.stage: each for each in attempts})


IN_ORDER = [
    attempt(stage, 10 * number, 10 * number + 5) for number, stage in enumerate(REQUIRED_STAGES)
]
READ_BACK = next(each for each in IN_ORDER if each.stage is StageName.READ_BACK)


def test_one_after_the_other_is_in_order() -> None:
    assert order_of(IN_ORDER) == []


@pytest.mark.parametrize("stage", [StageName.OVERWRITE, StageName.INITIALISE])
def test_what_began_after_the_read_back_began_is_not_what_was_read(stage: StageName) -> None:
    """Also one that began while it was read, and one whose end is on record before."""
    during = attempt(stage, READ_BACK.started_sequence + 1, READ_BACK.started_sequence + 2)
    said = f"{stage}: ran again after the read-back"
    assert said in order_gaps([*IN_ORDER, during], {each.stage: each for each in IN_ORDER})
    before = attempt(stage, READ_BACK.started_sequence - 2, READ_BACK.started_sequence - 1)
    assert order_gaps([*IN_ORDER, before], {each.stage: each for each in IN_ORDER}) == []


@pytest.mark.parametrize("number", range(len(IN_ORDER) - 1))
def test_two_that_have_changed_places_are_no_proof(number: int) -> None:
    first, second = IN_ORDER[number : number + 2]
    swapped = [*IN_ORDER]
    swapped[number] = attempt(first.stage, second.started_sequence, second.ended_sequence)
    swapped[number + 1] = attempt(second.stage, first.started_sequence, first.ended_sequence)
    assert "the stages were not run in the order that makes a proof" in order_of(swapped)


def answer(gate: Gate, after_s: int, *, approved: bool) -> DecisionRecord:
    return DecisionRecord(
        gate=gate,
        approved=approved,
        operator="sato",
        note="",
        at=ISSUED_AT + timedelta(seconds=after_s),
        person="sato",
        shown_by=ShownBy.BADGE_AND_PIN,
        source="127.0.0.1",
        via={},
    )


ALL = [answer(gate, 0, approved=True) for gate in REQUIRED_APPROVALS]


@pytest.mark.parametrize("gate", REQUIRED_APPROVALS)
def test_of_several_answers_the_last_one_counts(gate: Gate) -> None:
    yes, no = answer(gate, 2, approved=True), answer(gate, 1, approved=False)
    assert approval_gaps([*ALL, no, yes]) == []
    assert approval_gaps([*ALL, yes, no]) == [f"{gate}: the last answer was no"]


@pytest.mark.parametrize("gate", REQUIRED_APPROVALS)
def test_where_nobody_need_be_asked_a_no_counts_all_the_same(gate: Gate) -> None:
    others = [each for each in ALL if each.gate is not gate]
    assert approval_gaps(others) == [f"{gate}: nobody has approved it"]
    assert approval_gaps(others, {gate}) == []
    no = answer(gate, 1, approved=False)
    assert approval_gaps([*others, no], {gate}) == [f"{gate}: the last answer was no"]
