"""Two people stand behind an erasure, by their ids: whatever else is on record is a gap."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchd.domain.errors import CertificateGap
from benchd.domain.job import Gate
from benchd.domain.people import ShownBy
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence.intake_evidence import Who
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.separation_of_duties import confirm_gaps, scanner_gaps
from tests import recorded
from tests.certificate.certificate_rack import ISSUED_AT, JOB, records_of_an_erasure
from tests.proof.altered_records import Change, Data, answered, put

NOBODY = ("person", "shown_by", "source")


def name_alone(data: Data) -> Data:
    return {name: value for name, value in data.items() if name not in NOBODY}


LIES: dict[str, tuple[Change, tuple[Gate, ...], str]] = {
    "one id under two names": (put(person="sato"), (Gate.CONFIRM,), "one person's id"),
    "a name alone at confirm": (name_alone, (Gate.CONFIRM,), "person is missing"),
    "a name alone at work": (name_alone, (Gate.CONSENT,), "person is missing"),
    "names alone at every gate": (name_alone, (), "person is missing"),
    "no id": (put(person=None), (Gate.CONFIRM,), "person isn't a text"),
    "a badge alone at confirm": (put(shown_by="badge"), (Gate.CONFIRM,), "confirm: a badge alone"),
    "a badge alone at consent": (put(shown_by="badge"), (Gate.CONSENT,), "consent: a badge alone"),
    "a badge alone vouches for the last reset": (
        put(shown_by="badge"),
        (Gate.FINAL_RESET,),
        "final_reset: a badge alone",
    ),
    "a badge alone vouches for the look": (
        put(shown_by="badge"),
        (Gate.OBSERVE,),
        "observe: a badge alone",
    ),
    "nothing shown": (put(shown_by=None), (Gate.OBSERVE,), "shown_by is wrong"),
    "shown by a word": (put(shown_by="word"), (Gate.CONFIRM,), "shown_by"),
    "a blank id": (put(person=" "), (Gate.CONFIRM,), "person"),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_a_gap(lie: str) -> None:
    change, gates, told = LIES[lie]
    records = records_of_an_erasure()
    verify_erasure(JOB, records)
    asked = {Gate(str(r.entry.data["gate"])) for r in records if "gate" in r.entry.data}
    for gate in gates or asked:
        records = answered(records, gate, change)
    with pytest.raises(CertificateGap, match=told):
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


def test_of_two_confirmations_the_last_ones_name_and_id_count() -> None:
    assert confirm_gaps(confirmed_twice("sato", "suzuki")) == []
    [gap] = confirm_gaps(confirmed_twice("suzuki", "sato"))
    assert "the same person ran the job" in gap
    worked, first, last = confirmed_twice("suzuki", "mori")
    [gap] = confirm_gaps([worked, first, replace(last, person="sato")])
    assert "one person's id ran the job" in gap
    assert confirm_gaps([worked, replace(first, person="sato"), last]) == []


def test_whoever_scanned_the_label_is_compared_with_the_last_who_confirmed() -> None:
    by = Who(person="mori", operator="mori", shown_by=ShownBy.BADGE_AND_PIN)
    bound = recorded.bound("T1", by=by)
    assert scanner_gaps(confirmed_twice("mori", "suzuki"), bound) == []
    [gap] = scanner_gaps(confirmed_twice("suzuki", "mori"), bound)
    assert "scanned its label" in gap
