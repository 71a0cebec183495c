"""In which order an erasure was made, which answer to a question counts, and how old a look is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta

import pytest

from benchd.domain.evidence_json import FORM
from benchd.domain.job import Gate, Outcome, StageName
from benchd.domain.people import ShownBy
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.evidence.reset_evidence import ConfirmEvidence, LookAgain, ObserveEvidence
from benchd.proof.final_reset_proof import last_look_gaps
from benchd.proof.floors import MOST_S_FROM_LOOK_TO_CONFIRM
from benchd.proof.job_records import DecisionRecord, StageRecord
from benchd.proof.stage_order import REQUIRED_APPROVALS, REQUIRED_STAGES, approval_gaps, order_gaps
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


def test_a_handset_erases_its_own_chip_before_its_first_reset_only() -> None:
    reset = next(each for each in IN_ORDER if each.stage is StageName.INITIALISE)
    before = attempt(StageName.FELICA_ERASE, reset.started_sequence - 2, reset.started_sequence - 1)
    assert order_of([*IN_ORDER, before]) == []
    after = attempt(StageName.FELICA_ERASE, reset.ended_sequence + 1, reset.ended_sequence + 2)
    assert order_of([*IN_ORDER, after]) == ["felica_erase: it came after the first reset"]


def answer(
    gate: Gate, after_s: float, person: str = "sato", *, approved: bool = True
) -> DecisionRecord:
    return DecisionRecord(
        gate=gate,
        approved=approved,
        operator=person,
        note="",
        at=ISSUED_AT + timedelta(seconds=after_s),
        person=person,
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


def evidence(record: DecisionRecord) -> DecisionEvidence:
    return DecisionEvidence(
        **{each.name: getattr(record, each.name) for each in fields(DecisionEvidence)}
    )


def look_gaps(
    look: DecisionRecord,
    *confirmed: DecisionRecord,
    again: DecisionRecord | None = None,
    told: DecisionRecord | None = None,
) -> Sequence[str]:
    """By the answers on record; the evidence tells of another look if one is given."""
    observe = ObserveEvidence(
        kinds=(),
        absent_s=None,
        minimum_absence_s=0,
        interfaces_after=(),
        answer=evidence(told or look),
    )
    last = None if again is None else LookAgain(answer=evidence(again))
    confirm = ConfirmEvidence(answer=evidence(confirmed[-1]), again=last)
    answers = [look, *([again] if again else []), *confirmed]
    return list(last_look_gaps(observe, confirm, answers, None))


LOOK = answer(Gate.OBSERVE, 0)
SOON = answer(Gate.CONFIRM, 60, "suzuki")
IN_TIME = answer(Gate.CONFIRM, MOST_S_FROM_LOOK_TO_CONFIRM, "suzuki")
LATE = answer(Gate.CONFIRM, MOST_S_FROM_LOOK_TO_CONFIRM + 1, "suzuki")
BEFORE = answer(Gate.CONFIRM, -1, "suzuki")
NOT_SHORTLY_BEFORE = ["confirm: nobody had looked at the handset shortly before"]


def test_the_look_before_the_last_confirmation_is_no_older_than_its_limit() -> None:
    assert look_gaps(LOOK, SOON) == look_gaps(LOOK, IN_TIME) == []
    assert look_gaps(LOOK, LATE) == look_gaps(LOOK, BEFORE) == NOT_SHORTLY_BEFORE
    assert look_gaps(LOOK, SOON, LATE) == NOT_SHORTLY_BEFORE
    assert look_gaps(LOOK, BEFORE, SOON) == []


def test_a_second_look_at_the_very_time_of_the_first_is_no_older_one() -> None:
    assert look_gaps(LOOK, SOON, again=LOOK) == []
    earlier = answer(Gate.OBSERVE, -1)
    older = "confirm: the last look is older than the first"
    assert look_gaps(LOOK, SOON, again=earlier) == [older]


def test_a_look_that_somebody_else_has_on_record_is_not_the_one_of_the_evidence() -> None:
    [gap] = look_gaps(LOOK, SOON, told=answer(Gate.OBSERVE, 0, "mori"))
    assert "isn't on record" in gap
