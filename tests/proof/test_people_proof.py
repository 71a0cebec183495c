"""Two people stand behind an erasure, by their ids: whatever else is on record is a gap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from benchd.domain.errors import CertificateGap
from benchd.domain.ids import Evidence
from benchd.domain.intake import BoundBy
from benchd.domain.job import Gate
from benchd.domain.people import ShownBy
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence.intake_evidence import BoundRecord, Who
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.people_proof import confirm_gaps, scanner_gaps
from tests.certificate.certificate_rack import ISSUED_AT, JOB, records_of_an_erasure

Change = Callable[[Evidence], Evidence]


def without(data: Evidence, *names: str) -> Evidence:
    return {name: value for name, value in data.items() if name not in names}


def answered(change: Change, *gates: Gate) -> Sequence[StoredEntry]:
    """The records of a good job, with the answers at these gates changed; all without gates."""
    return [
        replace(record, entry=replace(record.entry, data=change(record.entry.data)))
        if record.entry.kind is EntryKind.DECISION
        and (not gates or record.entry.data["gate"] in gates)
        else record
        for record in records_of_an_erasure()
    ]


def test_a_good_job_has_no_gap() -> None:
    verify_erasure(JOB, answered(dict))


LIES: dict[str, tuple[Change, tuple[Gate, ...], str]] = {
    "one id under two names": (
        lambda data: {**data, "person": "sato"},
        (Gate.CONFIRM,),
        "one person's id",
    ),
    "a name alone at confirm": (
        lambda data: without(data, "person", "shown_by", "source"),
        (Gate.CONFIRM,),
        "person is missing",
    ),
    "a name alone at work": (
        lambda data: without(data, "person", "shown_by", "source"),
        (Gate.CONSENT,),
        "person is missing",
    ),
    "names alone at every gate": (
        lambda data: without(data, "person", "shown_by", "source"),
        (),
        "person is missing",
    ),
    "no id": (lambda data: {**data, "person": None}, (Gate.CONFIRM,), "person isn't a text"),
    "a badge alone at confirm": (
        lambda data: {**data, "shown_by": "badge"},
        (Gate.CONFIRM,),
        "confirm: a badge alone",
    ),
    "a badge alone at consent": (
        lambda data: {**data, "shown_by": "badge"},
        (Gate.CONSENT,),
        "consent: a badge alone",
    ),
    "nothing shown": (
        lambda data: {**data, "shown_by": None},
        (Gate.OBSERVE,),
        "shown_by is wrong",
    ),
    "shown by a word": (lambda data: {**data, "shown_by": "word"}, (Gate.CONFIRM,), "shown_by"),
    "a blank id": (lambda data: {**data, "person": " "}, (Gate.CONFIRM,), "person"),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_a_gap(lie: str) -> None:
    change, gates, told = LIES[lie]
    with pytest.raises(CertificateGap, match=told):
        verify_erasure(JOB, answered(change, *gates))


VOUCHED = (Gate.FINAL_RESET, Gate.OBSERVE)


@pytest.mark.parametrize("gate", VOUCHED)
def test_careless_a_badge_alone_does_not_vouch_for_the_last_reset(gate: Gate) -> None:
    records = answered(lambda data: {**data, "shown_by": "badge"}, gate)
    with pytest.raises(CertificateGap, match=f"{gate}: a badge alone"):
        verify_erasure(JOB, records)


@pytest.mark.parametrize("gate", [Gate.IMEI, Gate.SERIAL])
def test_careless_a_badge_alone_does_not_tell_which_handset_it_is(gate: Gate) -> None:
    told = [answer_at(gate, ShownBy.BADGE), answer_at(Gate.CONFIRM, person="suzuki")]
    assert confirm_gaps(told) == [f"{gate}: a badge alone doesn't show who answered"]


def answer_at(
    gate: Gate, shown_by: ShownBy = ShownBy.BADGE_AND_PIN, person: str = "sato"
) -> DecisionEvidence:
    return DecisionEvidence(
        gate=gate,
        approved=True,
        operator=person,
        note="",
        at=ISSUED_AT,
        person=person,
        shown_by=shown_by,
        source="127.0.0.1",
    )


def confirmed_twice(first: str, last: str) -> list[DecisionEvidence]:
    """What Sato ran was confirmed by one person, then, in another attempt, by one more."""
    worked = answer_at(Gate.OBSERVE, person="sato")
    return [worked, answer_at(Gate.CONFIRM, person=first), answer_at(Gate.CONFIRM, person=last)]


def test_of_two_confirmations_the_last_one_counts() -> None:
    assert confirm_gaps(confirmed_twice("sato", "suzuki")) == []
    [gap] = confirm_gaps(confirmed_twice("suzuki", "sato"))
    assert "the same person ran the job" in gap


def test_of_two_confirmations_the_last_ones_id_counts() -> None:
    worked, first, last = confirmed_twice("suzuki", "mori")
    told = [worked, first, replace(last, person="sato")]
    [gap] = confirm_gaps(told)
    assert "one person's id ran the job" in gap
    assert confirm_gaps([worked, replace(first, person="sato"), last]) == []


def test_whoever_scanned_the_label_is_compared_with_the_last_who_confirmed() -> None:
    by = Who(person="mori", operator="mori", shown_by=ShownBy.BADGE_AND_PIN)
    bound = BoundRecord(
        lot="L",
        lot_sequence=1,
        tag="T1",
        bound_by=BoundBy.TAG,
        imeis=(),
        serial=None,
        model=None,
        differs="",
        by=by,
    )
    assert scanner_gaps(confirmed_twice("mori", "suzuki"), bound) == []
    [gap] = scanner_gaps(confirmed_twice("suzuki", "mori"), bound)
    assert "scanned its label" in gap
