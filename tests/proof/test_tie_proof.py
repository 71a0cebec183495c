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
OFF: dict[str, Any] = {**TWICE, "nfc_on": False, "seen": "silent", "chip": None}
ON: dict[str, Any] = {**TWICE, "nfc_on": True, "seen": "unused", "chip": CHIP}
TIE: dict[str, Any] = {"found_on": True, "off": OFF, "on": ON, "put_back": True, "detail": ""}
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


STEPS: dict[str, dict[str, Any]] = {
    "it wasn't on before": {"found_on": False},
    "it isn't known whether it was on before": {"found_on": None},
    "it was never off": {"off": None},
    "it was never on again": {"on": None},
    "it didn't say that it's off": {"off": OFF | {"nfc_on": None}},
    "it said that it's on": {"off": OFF | {"nfc_on": True}},
    "nobody looked while it was off": {"off": OFF | {"seen": None}},
    "the chip answered while it was off": {"off": OFF | {"seen": "unused", "chip": CHIP}},
    "another answered while it was off": {"off": OFF | {"chip": OTHER_CHIP}},
    "looked at once while it was off": {"off": OFF | {"passes": 1}},
    "the field was on all the time": {"off": OFF | {"power_cycled": False}},
    "it didn't say that it's on again": {"on": ON | {"nfc_on": None}},
    "silent once it was on": {"on": ON | {"seen": "silent", "chip": None}},
    "another chip once it was on": {"on": ON | {"chip": OTHER_CHIP}},
    "unreadable once it was on": {"on": ON | {"seen": "unreadable"}},
}


@pytest.mark.parametrize("step", STEPS)
def test_a_record_that_says_tied_without_its_steps_is_refused(step: str) -> None:
    told = gaps_of(tied_records(**STEPS[step]))
    assert "nothing shows that the chip is this handset's own" in told
    assert "nothing ties the handset that lies there" in told


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
