"""Whether two sightings are of one handset: each line of docs/identity.md, and what it decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from benchd.domain.chip import ChipVerdict
from benchd.domain.evidence_json import FORM, to_json
from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.proof.evidence.job_evidence import ReturnEvidence
from benchd.proof.evidence.recheck_evidence import DRAW_BYTES, DrawRecord
from benchd.proof.identity.placeholder_serials import is_filler
from benchd.proof.identity.same_handset import Handsets
from benchd.proof.identity.sighting import (
    NumberRead,
    Same,
    Sighting,
    same_in_note,
    sighting_of,
)
from benchd.proof.identity.traits import Clash, Join, Relation, Traits, compare
from benchd.proof.identity.unresolved_jobs import Debt, at_work_elsewhere, identity_gaps, open_pairs
from benchd.proof.recheck_draw import draw_gaps
from tests.imeis import imei
from tests.proof.altered_records import stored

A, B, C, D = (imei(number) for number in range(1, 5))
SERIAL, OTHER_SERIAL = "R5CT10ABCDE", "R5CT10ZZZZZ"
CHIP, OTHER_CHIP = "c0ffee00" * 8, "deadbeef" * 8
MODEL = "sony so-51c"


def traits(
    *proven: str,
    lead: Sequence[str] = (),
    full: bool = False,
    serial: str | None = None,
    model: str | None = MODEL,
    chip: str | None = None,
    tied: str | None = None,
    label: tuple[str, str] | None = None,
    paper: bool = False,
) -> Traits:
    return Traits(
        imeis=frozenset((*proven, *lead)),
        proven=frozenset(proven),
        is_full=full,
        serial=serial,
        model=model,
        chips=frozenset(filter(None, (chip, tied))),
        tied_chip=tied,
        label=label,
        is_paper=paper,
    )


RELATIONS: dict[str, tuple[Traits, Traits, Relation]] = {
    "an IMEI proven on both sides": (traits(A), traits(A, B), Relation.CERTAIN),
    "an IMEI of papers": (traits(A), traits(A, paper=True, model=None), Relation.CERTAIN),
    "a number that one person read": (traits(lead=[A]), traits(A), Relation.MAY_BE),
    "a number read once, of papers": (
        traits(lead=[A]),
        traits(A, paper=True, model=None),
        Relation.MAY_BE,
    ),
    "a number read once, and the serial": (
        traits(lead=[A], serial=SERIAL),
        traits(lead=[A], serial=SERIAL),
        Relation.CERTAIN,
    ),
    "a number read once, and the chip": (
        traits(lead=[A], chip=CHIP),
        traits(A, chip=CHIP),
        Relation.CERTAIN,
    ),
    "a tied chip": (traits(tied=CHIP), traits(tied=CHIP), Relation.CERTAIN),
    "a chip that was only seen": (traits(chip=CHIP), traits(tied=CHIP), Relation.MAY_BE),
    "a serial": (traits(serial=SERIAL), traits(serial=SERIAL), Relation.MAY_BE),
    "a filler serial": (
        traits(serial="0123456789ABCDEF"),
        traits(serial="0123456789ABCDEF"),
        Relation.NONE,
    ),
    "a label": (traits(label=("L", "T1")), traits(label=("L", "T1")), Relation.MAY_BE),
    "a label of another lot": (traits(label=("L", "T1")), traits(label=("M", "T1")), Relation.NONE),
    "nothing": (traits(A), traits(B), Relation.NONE),
    "a serial, but another model": (
        traits(serial=SERIAL),
        traits(serial=SERIAL, model="samsung sc-51b"),
        Relation.NONE,
    ),
    "an IMEI, but another serial": (
        traits(A, serial=SERIAL),
        traits(A, serial=OTHER_SERIAL),
        Relation.DISPUTE,
    ),
    "an IMEI, but another model": (traits(A), traits(A, model="samsung sc-51b"), Relation.DISPUTE),
    "an IMEI, but another tied chip": (
        traits(A, tied=CHIP),
        traits(A, tied=OTHER_CHIP),
        Relation.DISPUTE,
    ),
    "an IMEI, and another chip that was only seen": (
        traits(A, tied=CHIP),
        traits(A, chip=OTHER_CHIP),
        Relation.CERTAIN,
    ),
    "a chip, but other numbers": (
        traits(A, full=True, tied=CHIP),
        traits(B, full=True, tied=CHIP),
        Relation.DISPUTE,
    ),
    "a serial, but other numbers": (
        traits(A, full=True, serial=SERIAL),
        traits(B, full=True, serial=SERIAL),
        Relation.DISPUTE,
    ),
    "a serial, and numbers of which one may be missing": (
        traits(A, serial=SERIAL),
        traits(B, full=True, serial=SERIAL),
        Relation.MAY_BE,
    ),
    "an IMEI of papers, whose serial is the box's": (
        traits(A, serial=SERIAL),
        traits(A, serial=OTHER_SERIAL, paper=True, model=None),
        Relation.CERTAIN,
    ),
}


@pytest.mark.parametrize("case", RELATIONS)
def test_whether_two_sources_are_of_one_handset(case: str) -> None:
    mine, other, relation = RELATIONS[case]
    assert compare(mine, other).relation is relation
    assert compare(other, mine).relation is relation


def test_what_joins_and_what_contradicts_is_named() -> None:
    told = compare(traits(A, serial=SERIAL), traits(A, serial=OTHER_SERIAL, model="x"))
    assert told.joins == {Join.IMEI}
    assert told.clashes == {Clash.SERIAL, Clash.MODEL}


@pytest.mark.parametrize(
    "serial", ["0123456789abcdef", "unknown", "0000000000", "1234567890", "890123", "XXXX", "a1"]
)
def test_a_filler_is_no_serial(serial: str) -> None:
    assert is_filler(serial)
    assert not is_filler("R5CT10ABCDE")


@pytest.mark.parametrize(
    ("note", "answer"),
    [
        ("same, slip 12", Same.SAME),
        ("Other", Same.OTHER),
        ("同じ 修理票12", Same.SAME),
        ("別 シリアル番号が違う", Same.OTHER),
        ("yes", None),
        ("not the same", None),
        ("", None),
    ],
)
def test_an_answer_says_which(note: str, answer: Same | None) -> None:
    assert same_in_note(note) is answer


# Sightings: what the records of jobs tell.


class Story:
    """Records of jobs in the order of a ledger."""

    def __init__(self) -> None:
        self.records: list[StoredEntry] = []

    def add(self, job: str, kind: EntryKind, **data: Any) -> None:  # noqa: ANN401 - JSON
        self.records.append(stored(len(self.records) + 1, kind, data, job=job))

    def read(self, job: str, gate: Gate, *numbers: str, by: str = "sato") -> None:
        self.answer(job, gate, " ".join(numbers), by=by)

    def answer(self, job: str, gate: Gate, note: str, *, by: str = "sato") -> None:
        told = {"gate": gate, "approved": True, "operator": by, "person": by, "note": note}
        self.add(job, EntryKind.DECISION, **told)

    def reset(self, job: str) -> None:
        told = {"stage": "final_reset", "outcome": "passed", "form": FORM, "evidence": {}}
        self.add(job, EntryKind.STAGE_ENDED, **told)

    def ends(self, job: str, disposition: str = "hold", **data: Any) -> None:  # noqa: ANN401 - JSON
        self.add(job, EntryKind.JOB_ENDED, disposition=disposition, **data)

    def of(self, job: str) -> Sighting:
        return sighting_of(JobId(job), [r for r in self.records if r.entry.job == job])


def test_a_number_is_proven_by_two_people_the_second_after_the_last_reset() -> None:
    story = Story()
    story.read("j", Gate.IMEI, A)
    assert story.of("j").imeis == {A}
    assert not story.of("j").proven
    story.reset("j")
    assert not story.of("j").proven
    story.read("j", Gate.CONFIRM, A, by="sato")
    assert not story.of("j").proven
    story.read("j", Gate.CONFIRM, B, by="suzuki")
    assert not story.of("j").proven
    story.read("j", Gate.CONFIRM, A, by="suzuki")
    assert story.of("j").proven == {A}
    # Two readings before it prove nothing.
    story.read("k", Gate.IMEI, A)
    story.read("k", Gate.IMEI, A, by="suzuki")
    story.reset("k")
    assert not story.of("k").proven


def sighted(
    job: str,
    sequence: int,
    *told: str,
    serial: str | None = None,
    tied: str | None = None,
    sim_slots: int | None = 1,
    doomed: bool = False,
    ended: bool = True,
) -> Sighting:
    seen = Sighting(job=JobId(job), sequence=sequence, told=set(told), sim_slots=sim_slots)
    seen.serials = set(filter(None, (serial,)))
    seen.models = {MODEL}
    seen.tied, seen.chips = tied, set(filter(None, (tied,)))
    seen.doomed_at = sequence + 1 if doomed else 0
    if ended:
        end = {"disposition": "destroy" if doomed else "hold"}
        seen.end_sequence = sequence + 1
        seen.end = stored(seen.end_sequence, EntryKind.JOB_ENDED, end, job=job).entry
    return seen


def test_a_sighting_s_repr_shows_none_of_its_numbers() -> None:
    seen = sighted("a", 10, A, serial=SERIAL, tied=CHIP)
    seen.named, seen.refused = {B}, {C}
    assert not [number for number in (A, B, C, SERIAL, CHIP) if number in repr(seen)]


def ended_as(seen: Sighting, **data: Any) -> Entry:  # noqa: ANN401 - JSON
    assert seen.end is not None
    return replace(seen.end, data=data)


def test_a_handset_is_the_closure_of_what_is_certain() -> None:
    me = sighted("me", 30, C, ended=False)
    handsets = Handsets(me, [sighted("a", 10, A, doomed=True), sighted("b", 20, A, C)])
    assert [each.job for each in handsets.mine.sightings] == ["a", "b", "me"]
    assert handsets.mine.doomed_by is not None


def test_a_merge_that_would_put_a_clash_inside_is_a_dispute() -> None:
    me = sighted("me", 30, C, serial=OTHER_SERIAL, ended=False)
    first = sighted("a", 10, A, serial=SERIAL, doomed=True)
    handsets = Handsets(me, [first, sighted("b", 20, A, C)])
    assert [each.job for each in handsets.mine.sightings] == ["me"]
    assert handsets.relation(JobId("b")) is Relation.DISPUTE
    [pair] = open_pairs(handsets)
    assert (pair.debt, pair.gate) == (Debt.DOOM, Gate.SAME_HANDSET)


def test_two_numbers_of_one_chip_clash_also_through_a_job_that_has_none() -> None:
    unfinished = sighted("a", 10, serial=SERIAL, tied=CHIP)
    certified = sighted("b", 20, A, serial=SERIAL, tied=CHIP)
    me = sighted("me", 30, B, serial=SERIAL, tied=CHIP, ended=False)
    handsets = Handsets(me, [unfinished, certified])
    assert [each.job for each in handsets.mine.sightings] == ["me"]
    assert handsets.relation(JobId("b")) is Relation.DISPUTE
    # Once it's known to be one, a later visit under the new number asks nobody again.
    answered(me, "b", Same.SAME)
    later = sighted("later", 40, B, serial=SERIAL, tied=CHIP, ended=False)
    again = Handsets(later, [unfinished, certified, me])
    assert [each.job for each in again.mine.sightings] == ["a", "b", "me", "later"]


def answered(me: Sighting, other: str, *answers: Same, gate: Gate = Gate.SAME_HANDSET) -> None:
    """Somebody says of this and the other, once or again, whether they are one handset."""
    story = Story()
    for answer in answers:
        story.add(me.job, EntryKind.QUESTION_ASKED, gate=gate, facts={"other": other})
        story.answer(me.job, gate, answer)
    for record in story.records:
        me.take(record)


@pytest.mark.parametrize("answer", Same)
def test_an_answer_joins_two_handsets_or_parts_them_for_good(answer: Same) -> None:
    doomed = sighted("a", 10, A, serial=SERIAL, doomed=True)
    me = sighted("me", 20, B, serial=SERIAL, ended=False)
    assert [each.by.job for each in open_pairs(Handsets(me, [doomed]))] == ["a"]
    answered(me, "a", answer)
    handsets = Handsets(me, [doomed])
    assert not list(open_pairs(handsets))
    assert (handsets.mine.doomed_by is doomed) is (answer is Same.SAME)
    # The next visit of either is answered by that too.
    later = sighted("later", 30, B, serial=SERIAL, ended=False)
    me.end = doomed.end
    again = Handsets(later, [doomed, me])
    assert not list(open_pairs(again))
    assert (again.mine.doomed_by is doomed) is (answer is Same.SAME)


@pytest.mark.parametrize("last", Same)
def test_of_two_answers_about_two_handsets_the_last_one_counts(last: Same) -> None:
    first = Same.OTHER if last is Same.SAME else Same.SAME
    other = sighted("a", 10, A, serial=SERIAL)
    me = sighted("me", 20, B, serial=SERIAL, ended=False)
    answered(me, "a", first, last, gate=Gate.SAME_HANDSET_HELD)
    [seen] = Handsets(me, [other]).others
    assert (seen.answered, seen.held_answered) == (None, last)
    me = sighted("me", 20, B, serial=SERIAL, ended=False)
    answered(me, "a", first, last)
    handsets = Handsets(me, [other])
    assert (handsets.relation(JobId("a")) is Relation.CERTAIN) is (last is Same.SAME)
    assert {each.answered for each in handsets.others} == ({last} - {Same.SAME})


def test_an_answer_of_a_later_job_counts_for_the_earlier_one_and_for_no_third() -> None:
    earlier = sighted("a", 10, A, serial=SERIAL, ended=False)
    answering = sighted("b", 20, B, serial=SERIAL)
    answered(answering, "a", Same.OTHER)
    third = sighted("c", 30, C, serial=SERIAL)
    others = Handsets(earlier, [answering, third]).others
    answers = {each.sightings[0].job: each.answered for each in others}
    assert answers == {"b": Same.OTHER, "c": None}


@pytest.mark.parametrize(
    ("numbers", "gate"), [((A, B), Gate.SAME_HANDSET), ((), Gate.SAME_HANDSET_HELD)]
)
def test_a_dispute_about_a_readers_look_is_for_somebody_in_charge(
    numbers: tuple[str, ...], gate: Gate
) -> None:
    """Two full sets of numbers under one serial; without any it is only open which it is."""
    mine, theirs = numbers[:1], numbers[1:]
    seen = sighted("a", 10, *theirs, serial=SERIAL)
    seen.chip_look = (11, ChipVerdict.IN_USE)
    me = sighted("me", 20, *mine, serial=SERIAL, ended=False)
    me.looked_by_eye = True
    [pair] = open_pairs(Handsets(me, [seen]))
    assert (pair.debt, pair.gate) == (Debt.READER_LOOK, gate)


def drawn(job: str, sequence: int) -> Sighting:
    seen = sighted(job, sequence, A)
    seen.draw = DrawRecord(share=1.0, token="00" * DRAW_BYTES, owed=(), drawn=True)
    seen.draw_sequence = sequence + 1
    return seen


def recheck(job: str, sequence: int, of: str, *, passed: bool = True) -> Sighting:
    seen = sighted(job, sequence, A)
    seen.rechecks = JobId(of)
    told = {"disposition": "sellable", "certificate": {}} if passed else {"disposition": "hold"}
    seen.end = ended_as(seen, **told)
    return seen


OWED: dict[str, tuple[list[Sighting], list[str]]] = {
    "none was rechecked": ([drawn("a", 10), drawn("b", 20)], ["a", "b"]),
    "the earlier one, which says nothing of the later": (
        [drawn("a", 10), recheck("r", 15, "a"), drawn("b", 20)],
        ["b"],
    ),
    "the earlier one, as late as can be": (
        [drawn("a", 10), drawn("b", 20), recheck("r", 30, "a")],
        ["b"],
    ),
    "the later one, of the same handset as it was since": (
        [drawn("a", 10), drawn("b", 20), recheck("r", 30, "b")],
        [],
    ),
    "a recheck that found something": (
        [drawn("a", 10), recheck("r", 15, "a", passed=False)],
        ["a"],
    ),
}


@pytest.mark.parametrize("case", OWED)
def test_an_earlier_draws_recheck_settles_no_later_one(case: str) -> None:
    others, owed = OWED[case]
    me = sighted("me", 40, A, ended=False)
    assert list(Handsets(me, others).mine.owed) == owed


def test_a_serial_that_two_are_known_to_have_neither_joins_nor_contradicts() -> None:
    """Not by the one in hand: whose number was rewritten is a dispute first.

    What was to be destroyed is asked for however many are known to have its serial.
    """
    twins = [sighted("a", 10, A, serial=SERIAL), sighted("b", 20, B, serial=SERIAL)]
    me = sighted("me", 30, C, serial=SERIAL, ended=False)
    assert not Handsets(me, twins).open
    assert Handsets(me, twins[:1]).open
    twins[0] = sighted("a", 10, A, serial=SERIAL, doomed=True)
    assert {pair.by.job for pair in open_pairs(Handsets(me, twins))} >= {"a"}


def test_a_number_of_papers_that_are_another_handsets_joins_no_third() -> None:
    me = sighted("me", 30, D, ended=False)
    handsets = Handsets(me, [sighted("a", 10, A, doomed=True), sighted("b", 20, B)])
    assert not handsets.open
    assert not list(identity_gaps(handsets))


def test_doom_follows_the_handset_until_somebody_in_charge_lets_it_in() -> None:
    doomed = sighted("a", 10, A, doomed=True)
    me = sighted("me", 20, A, ended=False)
    assert [gap for gap in identity_gaps(Handsets(me, [doomed])) if "destroyed" in gap]
    me.let_at = 21
    assert not list(identity_gaps(Handsets(me, [doomed])))
    doomed_again = sighted("b", 30, A, doomed=True)
    assert list(identity_gaps(Handsets(me, [doomed, doomed_again])))


@pytest.mark.parametrize("serial", [SERIAL, OTHER_SERIAL])
def test_row_11_the_later_of_two_jobs_with_one_number_waits_for_the_first(serial: str) -> None:
    """Neither has a certificate yet that would stand against the other.

    A dispute keeps nobody waiting before the end, nor does a lead.
    """
    other = sighted("a", 10, A, serial=SERIAL, ended=False)
    me = sighted("me", 20, A, serial=serial, ended=False)
    handsets = Handsets(me, [other])
    assert at_work_elsewhere(handsets, disputed=True) is other
    assert at_work_elsewhere(Handsets(other, [me]), disputed=True) is None
    if serial == SERIAL:
        [gap] = identity_gaps(handsets)
        assert "at work on the same handset" in gap
    else:
        assert at_work_elsewhere(handsets, disputed=False) is None
        lead = sighted("a", 10, serial=SERIAL, ended=False)
        lead.named = {A}
        assert at_work_elsewhere(Handsets(me, [lead]), disputed=True) is None


def test_a_number_read_of_what_may_have_been_swapped_in_makes_no_handset_certain() -> None:
    """Its serial was told, and its chip seen, before another number was read after the reset."""
    swapped = sighted("a", 10, serial=SERIAL, tied=CHIP)
    swapped.tied, swapped.named, swapped.reset_at = None, {A}, 15
    swapped.reads = [NumberRead(number=B, person="suzuki", name="Suzuki", sequence=16)]
    me = sighted("me", 20, serial=SERIAL, tied=CHIP, ended=False)
    me.tied, me.named = None, {B}
    assert Handsets(me, [swapped]).relation(JobId("a")) is Relation.MAY_BE
    swapped.reads = []
    me.named = {A}
    assert Handsets(me, [swapped]).relation(JobId("a")) is Relation.CERTAIN


def test_a_number_at_which_a_job_ended_as_anothers_makes_no_handset_certain() -> None:
    """Twins of one serial were exchanged in mid-job: the second number is of the one put in."""
    story = Story()
    for job, number in (("exchanged", A), ("twin", B), ("again", A)):
        story.read(job, Gate.IMEI, number)
    story.read("exchanged", Gate.IMEI, B)
    ended = {"stage": "initialise", "outcome": "failed", "because": "handset_changed"}
    back = to_json(ReturnEvidence(attachment="1", screen_number=B))
    story.add("exchanged", EntryKind.STAGE_ENDED, **ended, came_back=back, form=FORM, evidence={})
    exchanged, twin, again = (story.of(job) for job in ("exchanged", "twin", "again"))
    for each in (exchanged, twin, again):
        each.serials, each.models = {SERIAL}, {MODEL}
    assert exchanged.imeis == {A, B}, "it stays a lead"
    sorted_out = Handsets(again, [exchanged, twin])
    assert sorted_out.relation(JobId("exchanged")) is Relation.CERTAIN
    assert sorted_out.relation(JobId("twin")) is Relation.MAY_BE


@pytest.mark.parametrize("seen", [CHIP, OTHER_CHIP])
@pytest.mark.parametrize("tied", [True, False])
def test_a_card_is_no_newer_look_at_a_handset_whose_own_chip_is_known(
    seen: str, *, tied: bool
) -> None:
    """A reader saw its chip in use, and tied it; an unused one there now follows nothing."""
    before = sighted("a", 10, A, tied=CHIP)
    before.chip_look = (11, ChipVerdict.IN_USE)
    me = sighted("me", 20, A, ended=False)
    me.chips, me.tied = {seen}, seen if tied else None
    me.chip_look = (21, ChipVerdict.UNUSED)
    gaps = [gap for gap in identity_gaps(Handsets(me, [before])) if "tied another chip" in gap]
    assert bool(gaps) is (seen == OTHER_CHIP and not tied)


def test_the_other_bar_code_after_the_last_reset_is_no_swap() -> None:
    """Told by its other number later, it is the handset that was sold: its papers are spent."""
    sold = sighted("a", 10, A, serial=SERIAL, sim_slots=2)
    sold.reset_at = 15
    sold.reads = [NumberRead(number=B, person="suzuki", name="Suzuki", sequence=16)]
    me = sighted("me", 20, B, serial=SERIAL, sim_slots=2, ended=False)
    assert Handsets(me, [sold]).relation(JobId("a")) is Relation.CERTAIN


def test_row_3_a_persons_word_is_no_newer_look_than_a_readers() -> None:
    seen = sighted("a", 10, A)
    seen.chip_look = (11, ChipVerdict.IN_USE)
    me = sighted("me", 20, A, ended=False)
    me.looked_by_eye = True
    [gap] = identity_gaps(Handsets(me, [seen]))
    assert "a reader saw no unused chip" in gap
    me.looked_by_eye, me.chip_look = False, (21, ChipVerdict.UNUSED)
    assert not list(identity_gaps(Handsets(me, [seen])))


@pytest.mark.parametrize("outcome", ["passed", "failed"])
def test_row_3_a_look_that_was_refused_is_no_clean_one(outcome: str) -> None:
    """A card on the reader, refused as another handset's, lifts nothing that was seen before."""
    story = Story()
    for job, verdict, ended in (
        ("seen", ChipVerdict.SILENT, "failed"),
        ("again", ChipVerdict.UNUSED, outcome),
    ):
        look = to_json(ChipEvidence(source="reader", verdict=verdict))
        told = {"stage": "felica_check", "outcome": ended, "form": FORM, "evidence": look}
        story.add(job, EntryKind.STAGE_ENDED, **told)
        story.ends(job)
    seen, again = story.of("seen"), story.of("again")
    me = sighted("me", 20, A, ended=False)
    seen.told, again.told, me.looked_by_eye = {A}, {A}, True
    gaps = [gap for gap in identity_gaps(Handsets(me, [seen, again])) if "no unused chip" in gap]
    assert bool(gaps) is (outcome == "failed")


def test_row_11_one_imei_under_two_serials_is_somebody_in_charges() -> None:
    sold = sighted("a", 10, A, serial=SERIAL)
    sold.end = ended_as(sold, disposition="sellable", certificate="{}")
    me = sighted("me", 20, A, serial=OTHER_SERIAL, ended=False)
    [pair] = open_pairs(Handsets(me, [sold]))
    assert (pair.debt, pair.gate, pair.handset.relation) == (
        Debt.CERTIFIED,
        Gate.SAME_HANDSET,
        Relation.DISPUTE,
    )


def chip_gaps(me: Sighting, *others: Sighting) -> list[str]:
    gaps = identity_gaps(Handsets(me, others))
    return [gap for gap in gaps if "its chip was in another handset" in gap]


def test_a_chip_that_was_anothers_is_a_gap_whatever_the_two_owe() -> None:
    donor = sighted("a", 10, A, tied=CHIP)
    assert chip_gaps(sighted("me", 20, B, tied=CHIP, ended=False), donor)
    # Also where it is tied now, if a certificate names it.
    sold = sighted("b", 10, B, serial=SERIAL)
    sold.chips = {CHIP}
    sold.end = ended_as(sold, disposition="sellable", certificate="{}")
    assert chip_gaps(sighted("me", 20, A, tied=CHIP, serial=OTHER_SERIAL, ended=False), sold)
    # A slot without reader is no way out for who was met with another's chip.
    mine, others = sighted("a", 10, A), sighted("b", 11, B, serial=SERIAL, tied=OTHER_CHIP)
    mine.chips = {OTHER_CHIP}
    assert chip_gaps(sighted("me", 20, A, serial=OTHER_SERIAL, ended=False), mine, others)


def test_a_chip_that_is_tied_now_is_no_others_by_a_look_that_tied_nothing() -> None:
    """Readers were exchanged once: each handset's chip is on record of the other, both on hold."""
    mine, others = sighted("a", 10, A), sighted("b", 11, B, serial=SERIAL)
    mine.chips, others.chips = {OTHER_CHIP}, {CHIP}
    me = sighted("me", 20, A, tied=CHIP, serial=OTHER_SERIAL, ended=False)
    assert not chip_gaps(me, mine, others)
    me = sighted("me", 20, A, serial=OTHER_SERIAL, ended=False)
    me.chips = {CHIP}
    assert chip_gaps(me, mine, others), "it was only seen"


def test_a_recheck_that_is_owed_by_what_may_be_it_asks_nobody() -> None:
    """It is drawn, which costs a recheck and no question; a dispute is asked about."""
    me = sighted("me", 20, serial=SERIAL, ended=False)
    assert not list(open_pairs(Handsets(me, [sighted("a", 10, A, serial=SERIAL)])))


LAST = "ff" * DRAW_BYTES
FIRST = "00" * DRAW_BYTES


def told(story: Story, job: str, *, drawn: bool) -> None:
    """A job of the handset with this number, and what was drawn for it."""
    story.add(job, EntryKind.JOB_OPENED, recheck_share=0.5)
    story.read(job, Gate.IMEI, imei(1))
    token = FIRST if drawn else LAST
    story.add(job, EntryKind.RECHECK_DRAWN, share=0.5, token=token, owed=[], drawn=drawn)


@pytest.mark.parametrize("first", ["mine", "other"])
def test_a_draw_names_those_before_it_and_none_after_it(first: str) -> None:
    story = Story()
    for job in ("mine", "other") if first == "mine" else ("other", "mine"):
        told(story, job, drawn=job == "other")
    mine, others = (
        [r for r in story.records if (r.entry.job == "mine") is own] for own in (True, False)
    )
    owed = [] if first == "mine" else ["recheck_drawn: the recheck of job other is owed"]
    assert draw_gaps(JobId("mine"), mine, others) == owed
