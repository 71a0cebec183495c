"""A tied chip in the proof: each step has to be on record, and each lie about one is a gap."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchd.domain.errors import CertificateGap
from benchd.domain.job import Gate, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.erasure import verify_erasure
from tests.certificate.certificate_rack import (
    CHIP_BASE,
    IMEI,
    JOB,
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
    "put_back": True,
    "detail": "",
}
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
    assert "nothing ties the handset that lies there" in told


def test_row_5_another_slot_s_reader_that_follows_is_a_gap_though_nothing_is_said_to_be_tied() -> (
    None
):
    check = {**CHIP_BASE, "tied": False, "tie": {**TIE, "heard_at": "A2"}}
    told = gaps_of(records_of_an_erasure(chip=replace(SCANNED, check=check)))
    assert told == "felica_check: it is another slot's reader that hears this handset"
