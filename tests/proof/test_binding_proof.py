"""The chain from the inspection to the certificate, and a chip's tie: each broken link is a gap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import to_json
from benchd.domain.job import Gate, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.binding import Known, Tie, differences, screen_number, ties_of
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence.job_evidence import ReturnEvidence
from tests.certificate.certificate_rack import (
    CHIP_BASE,
    IMEI,
    JOB,
    SCANNED,
    TWICE,
    records_of_an_erasure,
)
from tests.proof.altered_records import answered, back, ended, put, seen, with_data

OTHER_IMEI = "490154203237518"
EID = "89049032004008882600004821436874"
Records = list[StoredEntry]


def number_typed(records: Records, note: str, *, approved: bool = True) -> Records:
    return answered(records, Gate.IMEI, put(note=note, approved=approved))


def moved_before(records: Records, gate: Gate, kind: EntryKind) -> Records:
    """The answer as if it had been given before the port last changed."""
    [answer] = [r for r in records if r.entry.data.get("gate") == gate]
    [*_, last] = [r for r in records if r.entry.kind is kind]
    others = [r for r in records if r is not answer]
    place = others.index(last)
    return [*others[:place], answer, *others[place:]]


OBSERVE, INITIALISE = StageName.OBSERVE, StageName.INITIALISE
LIES: dict[str, tuple[Callable[[Records], Records], str]] = {
    "no look after the first reset": (
        lambda r: ended(r, INITIALISE, put(came_back=None)),
        "initialise",
    ),
    "no look after the last reset": (lambda r: ended(r, OBSERVE, put(came_back=None)), "observe"),
    "a serial alone": (
        lambda r: ended(r, INITIALISE, back(imeis=[], serial="R5CT10ABCDE")),
        "initialise",
    ),
    "another IMEI over adb": (
        lambda r: ended(r, INITIALISE, back(imeis=[OTHER_IMEI])),
        "another handset came back",
    ),
    "another number on its screen": (
        lambda r: number_typed(ended(r, OBSERVE, back(screen_number=OTHER_IMEI)), OTHER_IMEI),
        "another handset came back",
    ),
    "a number that nobody typed": (lambda r: number_typed(r, OTHER_IMEI), "nobody has answered"),
    "a number refused": (lambda r: number_typed(r, IMEI, approved=False), "nobody has answered"),
    "a number typed before it left": (
        lambda r: moved_before(r, Gate.IMEI, EntryKind.ATTACHMENT_CHANGED),
        "nobody has answered",
    ),
    "a keystream where nothing was filled": (
        lambda r: ended(r, INITIALISE, back(imeis=[], keystream_bytes=4096)),
        "initialise",
    ),
    "a chip that was never tied": (
        lambda r: ended(r, OBSERVE, back(screen_number=None, chip="c0ffee00" * 8)),
        "observe",
    ),
    "a look at another enumeration": (
        lambda r: ended(r, OBSERVE, back(attachment="7:1")),
        "observe",
    ),
    "one more departure at the end": (
        lambda r: [
            *r,
            replace(
                r[-1],
                sequence=r[-1].sequence + 1,
                entry=replace(
                    r[-1].entry, kind=EntryKind.ATTACHMENT_CHANGED, data={"attachment": "7:3"}
                ),
            ),
        ],
        "binding",
    ),
    "a departure that the port didn't tell": (
        lambda r: ended(
            [x for x in r if x.entry.data.get("attachment") != "7:2"], OBSERVE, put(came_back=None)
        ),
        "observe",
    ),
    "a malformed return": (lambda r: ended(r, OBSERVE, back(surplus=1)), "came_back"),
}


def back_in_overwrite(**seen: Any) -> Records:  # noqa: ANN401 - JSON
    """A handset that has left while it was filled, and come back with this."""
    told = put(came_back=to_json(ReturnEvidence(attachment="7:5", **seen)))
    records = ended(records_of_an_erasure(), StageName.OVERWRITE, told)
    [*_, place] = [at for at, r in enumerate(records) if r.entry.data.get("stage") == "overwrite"]
    [*_, changed_port] = [r for r in records if r.entry.kind is EntryKind.ATTACHMENT_CHANGED]
    return [*records[:place], with_data(changed_port, attachment="7:5"), *records[place:]]


@pytest.mark.parametrize(
    ("told", "binds"),
    [
        ({"android_id": "bbbb"}, False),
        ({"android_id": "bbbb", "serial": "R5CT10ABCDE"}, False),
        ({"android_id": "bbbb", "keystream_bytes": 4096}, True),
        ({"imeis": (IMEI,)}, True),
    ],
)
def test_in_mid_overwrite_an_android_id_alone_binds_nothing(
    told: dict[str, Any], *, binds: bool
) -> None:
    """What was written must be found again; the stage asks for it, and so does the proof."""
    records = back_in_overwrite(**told)
    if binds:
        assert verify_erasure(JOB, records).binding.returns
    else:
        with pytest.raises(CertificateGap, match="overwrite: nothing ties"):
            verify_erasure(JOB, records)


@pytest.mark.parametrize("lie", LIES)
def test_each_broken_link_is_a_gap(lie: str) -> None:
    spoil, told = LIES[lie]
    with pytest.raises(CertificateGap) as refused:
        verify_erasure(JOB, spoil(records_of_an_erasure(chip=SCANNED)))
    assert told in str(refused.value)


def test_what_was_seen_and_when_is_told() -> None:
    records = records_of_an_erasure()
    binding = verify_erasure(JOB, records).binding
    assert binding.returns == 2
    assert set(binding.last_seen) == {Tie.SERIAL, Tie.IMEI, Tie.SCREEN_IMEI}
    assert binding.last_seen[Tie.SCREEN_IMEI] > binding.last_seen[Tie.IMEI]


@pytest.mark.parametrize("typed", ["", IMEI[:14], f"{IMEI}0", EID, "35693803564380x", "0" * 15])
def test_what_is_no_imei(typed: str) -> None:
    assert screen_number(Gate.IMEI, typed) is None


@pytest.mark.parametrize("typed", [IMEI, f" {IMEI} ", "35-693803-564380-9", "35 693803 564380 9"])
def test_an_imei_as_people_and_scanners_write_it(typed: str) -> None:
    assert screen_number(Gate.IMEI, typed) == IMEI


def sight(**told: Any) -> ReturnEvidence:  # noqa: ANN401 - of several types
    return ReturnEvidence(attachment="7:2", **told)


def test_what_a_tie_is() -> None:
    known = Known(serial="S", imeis=frozenset({IMEI}), android_id="aa", tied_chip="c0")
    ties: Sequence[tuple[ReturnEvidence, set[Tie]]] = (
        (sight(serial="S"), {Tie.SERIAL}),
        (sight(imeis=(OTHER_IMEI, IMEI)), {Tie.IMEI}),
        (sight(android_id="aa"), {Tie.ANDROID_ID}),
        (sight(android_id=""), set()),
        (sight(chip="c0"), {Tie.CHIP}),
        (sight(screen_number=IMEI), {Tie.SCREEN_IMEI}),
        (sight(screen_number="S"), set()),
        (sight(), set()),
    )
    for told, expected in ties:
        assert ties_of(known, told) == expected
    assert not ties_of(Known(), sight(android_id="", serial=None))
    assert differences(known, sight(android_id=""))
    assert not differences(Known(), sight(serial=None, imeis=(IMEI,), android_id="aa"))


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


def read_at_the_gates(records: Records) -> Records:
    """It tells adb no IMEI: a person reads it before, and nobody after the last reset."""
    [answer] = [r for r in records if r.entry.data.get("gate") == Gate.IMEI]
    others = [r for r in records if r is not answer]
    [first] = [r for r in others if r.entry.data.get("gate") == Gate.JPKI]
    place = others.index(first)
    moved = [*others[:place], answer, *others[place:]]
    numbered = [replace(record, sequence=101 + at) for at, record in enumerate(moved)]
    return ended(numbered, StageName.GATES, seen(screen_number=IMEI))


def tied_records(**tie: Any) -> Records:  # noqa: ANN401 - JSON
    story = replace(SCANNED, check={**CHIP_BASE, **TIED, "tie": {**TIE, **tie}})
    records = read_at_the_gates(records_of_an_erasure({"imei": None}, story))
    observed = ended(records, OBSERVE, seen(chip=AGAIN))
    return ended(observed, OBSERVE, back(screen_number=None, chip=CHIP))


def gaps_of(records: Records) -> str:
    with pytest.raises(CertificateGap) as refused:
        verify_erasure(JOB, records)
    return "\n".join(refused.value.missing)


def test_a_tied_chip_says_nothing_of_the_number_which_is_read_after_the_last_reset() -> None:
    assert gaps_of(tied_records()).splitlines() == [
        "binding: nobody has read its IMEI on its own screen",
        "identity: no second person has read its IMEI on its screen after the last reset",
    ]


def step_of(at: int, **told: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    """The steps with another one at this place."""
    steps = list(TIE["steps"])
    steps[at] = steps[at] | told
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
