"""Somebody has looked at the handset shortly before it was confirmed, and not after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta

from benchd.domain.job import Gate
from benchd.domain.people import ShownBy
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.evidence.reset_evidence import ConfirmEvidence, LookAgain, ObserveEvidence
from benchd.proof.final_reset_proof import last_look_gaps
from benchd.proof.floors import MOST_S_FROM_LOOK_TO_CONFIRM
from benchd.proof.job_records import DecisionRecord
from tests.certificate.certificate_rack import ISSUED_AT


def answer(gate: Gate, after_s: float, person: str) -> DecisionRecord:
    return DecisionRecord(
        gate=gate,
        approved=True,
        operator=person,
        note="",
        at=ISSUED_AT + timedelta(seconds=after_s),
        person=person,
        shown_by=ShownBy.BADGE_AND_PIN,
        source="127.0.0.1",
        via={},
    )


def evidence(record: DecisionRecord) -> DecisionEvidence:
    return DecisionEvidence(
        **{each.name: getattr(record, each.name) for each in fields(DecisionEvidence)}
    )


def gaps(
    look: DecisionRecord, *confirmed: DecisionRecord, again: DecisionRecord | None = None
) -> Sequence[str]:
    observe = ObserveEvidence(
        kinds=(),
        absent_s=None,
        minimum_absence_s=0,
        interfaces_after=(),
        answer=evidence(look),
    )
    last = None if again is None else LookAgain(answer=evidence(again))
    confirm = ConfirmEvidence(answer=evidence(confirmed[-1]), again=last)
    answers = [look, *([again] if again else []), *confirmed]
    return list(last_look_gaps(observe, confirm, answers, None))


LOOK = answer(Gate.OBSERVE, 0, "sato")
SOON = answer(Gate.CONFIRM, 60, "suzuki")
IN_TIME = answer(Gate.CONFIRM, MOST_S_FROM_LOOK_TO_CONFIRM, "suzuki")
LATE = answer(Gate.CONFIRM, MOST_S_FROM_LOOK_TO_CONFIRM + 1, "suzuki")
BEFORE = answer(Gate.CONFIRM, -1, "suzuki")
NOT_SHORTLY_BEFORE = ["confirm: nobody had looked at the handset shortly before"]


def test_the_time_from_look_to_confirmation_has_a_limit() -> None:
    assert gaps(LOOK, SOON) == []
    assert gaps(LOOK, IN_TIME) == []
    assert gaps(LOOK, LATE) == NOT_SHORTLY_BEFORE


def test_a_look_after_the_confirmation_is_none_before_it() -> None:
    assert gaps(LOOK, BEFORE) == NOT_SHORTLY_BEFORE


def test_of_two_confirmations_the_last_one_has_to_follow_the_look() -> None:
    assert gaps(LOOK, SOON, LATE) == NOT_SHORTLY_BEFORE
    assert gaps(LOOK, BEFORE, SOON) == []


def test_a_second_look_at_the_very_time_of_the_first_is_no_older_one() -> None:
    assert gaps(LOOK, SOON, again=LOOK) == []
    earlier = answer(Gate.OBSERVE, -1, "sato")
    assert gaps(LOOK, SOON, again=earlier) == ["confirm: the last look is older than the first"]


def test_a_look_that_somebody_else_has_on_record_is_not_the_one_of_the_evidence() -> None:
    told = evidence(answer(Gate.OBSERVE, 0, "mori"))
    observe = ObserveEvidence(
        kinds=(), absent_s=None, minimum_absence_s=0, interfaces_after=(), answer=told
    )
    confirm = ConfirmEvidence(answer=evidence(SOON))
    [gap] = last_look_gaps(observe, confirm, [LOOK, SOON], None)
    assert "isn't on record" in gap
