"""A tied chip in the proof: each step has to be on record, and each lie about one is a gap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from benchd.errors import CertificateGap
from benchd.proof.erasure import verify_erasure
from benchd.words.job import Gate, StageName
from benchd.words.record import EntryKind, StoredEntry
from tests.certificate.certificate_rack import (
    CHIP_BASE,
    CLEARED,
    IMEI,
    JOB,
    LOOKED_AT,
    SCANNED,
    TWICE,
    records_of_an_erasure,
)
from tests.proof.test_binding_proof import changed

Records = list[StoredEntry]
CHIP = str(CHIP_BASE["chip"])
OTHER_CHIP = "badbadba" * 8
ONCE: dict[str, Any] = {**TWICE, "passes": 1}
OFF: dict[str, Any] = {**ONCE, "nfc_on": False, "seen": "silent", "chip": None}
ON: dict[str, Any] = {**ONCE, "nfc_on": True, "seen": "unused", "chip": CHIP}
PATTERN: list[bool] = [False, True, True, False, False, True, True]
TIE: dict[str, Any] = {
    "found_on": True,
    "pattern": PATTERN,
    "steps": [ON if on else OFF for on in PATTERN],
    "heard_at": None,
    "off": None,
    "on": None,
    "put_back": True,
    "detail": "",
}
OLD_TIE: dict[str, Any] = {
    **TIE,
    "pattern": [],
    "steps": [],
    "off": {**OFF, "passes": 2},
    "on": {**ON, "passes": 2},
}
"""Off once and on again, as it was before form 6."""
TIED: dict[str, Any] = {"tied": True, "tie": TIE}
AGAIN: dict[str, Any] = {**CHIP_BASE, "power_cycled": True}


def seen(records: Records, stage: StageName, **evidence: Any) -> Records:  # noqa: ANN401 - JSON
    """The same with other evidence of a stage."""
    return [
        changed(record, evidence={**record.entry.data["evidence"], **evidence})  # type: ignore[dict-item]
        if record.entry.kind is EntryKind.STAGE_ENDED and record.entry.data["stage"] == stage
        else record
        for record in records
    ]


def came_back(records: Records, **told: Any) -> Records:  # noqa: ANN401 - JSON
    """The same with another sight of the handset after the last reset."""
    return [
        changed(record, came_back={**record.entry.data["came_back"], **told})  # type: ignore[dict-item]
        if record.entry.kind is EntryKind.STAGE_ENDED
        and record.entry.data["stage"] == StageName.OBSERVE
        else record
        for record in records
    ]


def read_at_the_gates(records: Records) -> Records:
    """It tells adb no IMEI: a person reads it before, and nobody after the last reset."""
    [answer] = [r for r in records if r.entry.data.get("gate") == Gate.IMEI]
    others = [r for r in records if r is not answer]
    [first] = [r for r in others if r.entry.data.get("gate") == Gate.JPKI]
    place = others.index(first)
    moved = [*others[:place], answer, *others[place:]]
    numbered = [replace(record, sequence=101 + at) for at, record in enumerate(moved)]
    return seen(numbered, StageName.GATES, screen_number=IMEI)


def tied_records(**tie: Any) -> Records:  # noqa: ANN401 - JSON
    story = replace(SCANNED, check={**CHIP_BASE, **TIED, "tie": {**TIE, **tie}})
    records = read_at_the_gates(records_of_an_erasure({"imei": None}, story))
    observed = seen(records, StageName.OBSERVE, chip=AGAIN)
    return came_back(observed, screen_number=None, chip=CHIP)


def gaps_of(records: Records) -> str:
    with pytest.raises(CertificateGap) as refused:
        verify_erasure(JOB, records)
    return "\n".join(refused.value.missing)


def test_a_tied_chip_says_nothing_of_the_number_which_is_read_after_the_last_reset() -> None:
    assert gaps_of(tied_records()).splitlines() == [
        "binding: nobody has read its IMEI on its own screen",
        "identity: no second person has read its IMEI on its screen after the last reset",
    ]


def step_of(at: int, **changed_to: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    """The steps with another one at this place."""
    steps = list(TIE["steps"])
    steps[at] = steps[at] | changed_to
    return steps


def walked(*pattern: bool) -> dict[str, Any]:
    """A pattern that was followed to its end."""
    return {"pattern": list(pattern), "steps": [ON if on else OFF for on in pattern]}


STEPS: dict[str, dict[str, Any]] = {
    "it wasn't on before": {"found_on": False},
    "it isn't known whether it was on before": {"found_on": None},
    "nothing was drawn": {"pattern": []},
    "no step was taken": {"steps": []},
    "nothing was drawn, off once and on again": OLD_TIE,
    "too little was drawn": walked(False, True, False, False, True, True),
    "never off": walked(*[True] * 7),
    "off once": walked(True, True, False, True, True, True, True),
    "off in the end": walked(*PATTERN[:-1], False),
    "a step is missing": {"steps": TIE["steps"][:-1]},
    "a step too many": {"steps": [*TIE["steps"], ON]},
    "another pattern was followed": {"pattern": [*PATTERN[1:-1], False, True]},
    "as a neighbour's in lockstep": {"steps": walked(*PATTERN[::-1])["steps"]},
    "another slot's reader follows": {"heard_at": "A2"},
    "it didn't say that it's off": {"steps": step_of(0, nfc_on=None)},
    "it said that it's on": {"steps": step_of(3, nfc_on=True)},
    "nobody looked while it was off": {"steps": step_of(3, seen=None)},
    "the chip answered while it was off": {"steps": step_of(4, seen="unused", chip=CHIP)},
    "another answered while it was off": {"steps": step_of(4, chip=OTHER_CHIP)},
    "no pass while it was off": {"steps": step_of(4, passes=0)},
    "the field was on all the time": {"steps": step_of(0, power_cycled=False)},
    "no pass while it was on": {"steps": step_of(1, passes=0)},
    "the field was on all the time before": {"steps": step_of(1, power_cycled=False)},
    "it didn't say that it's on again": {"steps": step_of(5, nfc_on=None)},
    "silent once it was on": {"steps": step_of(5, seen="silent", chip=None)},
    "silent while it was left on": {"steps": step_of(2, seen="silent", chip=None)},
    "another chip once it was on": {"steps": step_of(6, chip=OTHER_CHIP)},
    "unreadable once it was on": {"steps": step_of(6, seen="unreadable")},
}


@pytest.mark.parametrize("step", STEPS)
def test_row_5_a_record_that_says_tied_without_its_steps_is_refused(step: str) -> None:
    told = gaps_of(tied_records(**STEPS[step]))
    assert "nothing shows that the chip is this handset's own" in told
    # What has no pattern is measured as records were before, and refused for having none.
    assert step == "nothing was drawn, off once and on again" or (
        "nothing ties the handset that lies there" in told
    )


def test_row_5_another_slot_s_reader_that_follows_is_a_gap_though_nothing_is_said_to_be_tied() -> (
    None
):
    check = {**CHIP_BASE, "tied": False, "tie": {**TIE, "heard_at": "A2"}}
    told = gaps_of(records_of_an_erasure(chip=replace(SCANNED, check=check)))
    assert told == "felica_check: it is another slot's reader that hears this handset"


OLD_STEPS: dict[str, dict[str, Any]] = {
    "it was never off": {"off": None},
    "it was never on again": {"on": None},
    "the chip answered while it was off": {"off": OFF | {"seen": "unused", "chip": CHIP}},
    "looked at once while it was off": {"off": OFF},
    "another chip once it was on": {"on": ON | {"chip": OTHER_CHIP}},
}


def of_form_5(records: Records) -> Records:
    """The same as an older benchd has recorded it."""
    return [
        changed(record, form=5) if record.entry.kind is EntryKind.STAGE_ENDED else record
        for record in records
    ]


def test_records_from_before_patterns_prove_what_they_proved() -> None:
    assert verify_erasure(JOB, of_form_5(tied_records(**OLD_TIE)))


@pytest.mark.parametrize("step", OLD_STEPS)
def test_records_from_before_patterns_need_their_two_steps(step: str) -> None:
    told = gaps_of(of_form_5(tied_records(**{**OLD_TIE, **OLD_STEPS[step]})))
    assert "nothing shows that the chip is this handset's own" in told


@pytest.mark.parametrize(
    ("looks", "answers", "is_gap"), [(2, 2, True), (9, 9, True), (1, 1, False), (9, 8, False)]
)
def test_row_5_a_chip_that_answered_while_its_handset_was_away_is_a_gap(
    looks: int, answers: int, is_gap: bool
) -> None:
    story = replace(CLEARED, clear={**CLEARED.clear, "away": {"looks": looks, "answers": answers}})  # type: ignore[dict-item]
    records = records_of_an_erasure(chip=story)
    if is_gap:
        assert "answered while its handset had been carried away" in gaps_of(records)
    else:
        assert verify_erasure(JOB, records)


LIES: dict[str, tuple[Callable[[Records], Records], str]] = {
    "no steps at all": (
        lambda r: seen(r, StageName.FELICA_CHECK, tie=None),
        "nothing shows that the chip is this handset's own",
    ),
    "steps, and not said to be tied": (
        lambda r: seen(r, StageName.FELICA_CHECK, tied=False),
        "nothing ties the handset that lies there",
    ),
    "tied at the re-check": (
        lambda r: seen(r, StageName.FELICA_RECHECK, **TIED),
        "tied elsewhere",
    ),
    "tied after the last reset": (
        lambda r: seen(r, StageName.OBSERVE, chip=AGAIN | TIED),
        "tied elsewhere",
    ),
    "no look after the last reset": (
        lambda r: seen(r, StageName.OBSERVE, chip=None),
        "no look at the chip is on record",
    ),
    "silent after the last reset": (
        lambda r: seen(
            r, StageName.OBSERVE, chip=AGAIN | {"verdict": "silent", "chip": None, "systems": []}
        ),
        "no look at the chip is on record",
    ),
    "another after the last reset": (
        lambda r: seen(r, StageName.OBSERVE, chip=AGAIN | {"chip": OTHER_CHIP}),
        "it was another chip than at the re-check",
    ),
    "told to be another after the last reset": (
        lambda r: came_back(r, chip=OTHER_CHIP),
        "its chip is another",
    ),
    "in use after the last reset": (
        lambda r: seen(r, StageName.OBSERVE, chip=AGAIN | {"verdict": "in_use"}),
        "the chip isn't unused",
    ),
    "nodes left after the last reset": (
        lambda r: seen(
            r,
            StageName.OBSERVE,
            chip=AGAIN | {"systems": [{"code": "0003", "node_count": 2, "residue": ["090F"]}]},
        ),
        "nodes are left",
    ),
    "a field that was on": (
        lambda r: seen(r, StageName.OBSERVE, chip=AGAIN | {"power_cycled": False}),
        "the reader's field wasn't off before",
    ),
    "looked at by a person": (
        lambda r: seen(r, StageName.OBSERVE, chip=AGAIN | {"source": "operator"}),
        "the chip isn't unused",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_about_a_tied_chip_is_a_gap(lie: str) -> None:
    spoil, told = LIES[lie]
    assert told in gaps_of(spoil(tied_records()))


def test_an_imei_that_adb_alone_has_told_has_to_be_read_under_a_tied_chip_too() -> None:
    story = replace(SCANNED, check={**CHIP_BASE, **TIED})
    records = seen(records_of_an_erasure(chip=story), StageName.OBSERVE, chip=AGAIN)
    assert verify_erasure(JOB, came_back(records, chip=CHIP))
    unread = came_back(records, screen_number=None, chip=CHIP)
    assert "nobody has read its IMEI" in gaps_of(unread)


def test_a_chip_that_came_back_elsewhere_than_at_the_end_ties_nothing() -> None:
    records = [
        changed(r, came_back={**r.entry.data["came_back"], "imeis": [], "chip": CHIP})  # type: ignore[dict-item]
        if r.entry.data.get("came_back") and r.entry.data["stage"] == StageName.INITIALISE
        else r
        for r in tied_records()
    ]
    assert "initialise: no look at the chip is on record" in gaps_of(records)


def test_a_person_s_word_on_a_chip_can_not_be_tied() -> None:
    records = records_of_an_erasure(chip=replace(LOOKED_AT, check={**LOOKED_AT.check, **TIED}))
    assert "nothing shows that the chip is this handset's own" in gaps_of(records)
