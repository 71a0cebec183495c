"""The chain from the inspection to the certificate: each broken link is a gap."""

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
from tests.certificate.certificate_rack import IMEI, JOB, SCANNED, records_of_an_erasure

OTHER_IMEI = "490154203237518"
EID = "89049032004008882600004821436874"
Records = list[StoredEntry]


def changed(record: StoredEntry, **data: Any) -> StoredEntry:  # noqa: ANN401 - JSON
    entry = replace(record.entry, data={**record.entry.data, **data})
    return replace(record, entry=entry)


def returned(records: Records, stage: StageName, **seen: Any) -> Records:  # noqa: ANN401 - JSON
    """The same with another sight of the handset after its absence."""

    def each(record: StoredEntry) -> StoredEntry:
        data: Any = record.entry.data
        if record.entry.kind is not EntryKind.STAGE_ENDED or data["stage"] != stage:
            return record
        return changed(record, came_back={**data["came_back"], **seen})

    return [each(record) for record in records]


def without_return(records: Records, stage: StageName) -> Records:
    return [
        changed(record, came_back=None)
        if record.entry.kind is EntryKind.STAGE_ENDED and record.entry.data["stage"] == stage
        else record
        for record in records
    ]


def number_typed(records: Records, note: str, *, approved: bool = True) -> Records:
    return [
        changed(record, note=note, approved=approved)
        if record.entry.kind is EntryKind.DECISION and record.entry.data["gate"] == Gate.IMEI
        else record
        for record in records
    ]


def moved_before(records: Records, gate: Gate, kind: EntryKind) -> Records:
    """The answer as if it had been given before the port last changed."""
    [answer] = [r for r in records if r.entry.data.get("gate") == gate]
    [*_, last] = [r for r in records if r.entry.kind is kind]
    others = [r for r in records if r is not answer]
    place = others.index(last)
    return [*others[:place], answer, *others[place:]]


OBSERVE, INITIALISE = StageName.OBSERVE, StageName.INITIALISE
LIES: dict[str, tuple[Callable[[Records], Records], str]] = {
    "no look after the first reset": (lambda r: without_return(r, INITIALISE), "initialise"),
    "no look after the last reset": (lambda r: without_return(r, OBSERVE), "observe"),
    "a serial alone": (
        lambda r: returned(r, INITIALISE, imeis=[], serial="R5CT10ABCDE"),
        "initialise",
    ),
    "another IMEI over adb": (
        lambda r: returned(r, INITIALISE, imeis=[OTHER_IMEI]),
        "another handset came back",
    ),
    "another number on its screen": (
        lambda r: number_typed(returned(r, OBSERVE, screen_number=OTHER_IMEI), OTHER_IMEI),
        "another handset came back",
    ),
    "a number that nobody typed": (lambda r: number_typed(r, OTHER_IMEI), "nobody has answered"),
    "a number refused": (lambda r: number_typed(r, IMEI, approved=False), "nobody has answered"),
    "a number typed before it left": (
        lambda r: moved_before(r, Gate.IMEI, EntryKind.ATTACHMENT_CHANGED),
        "nobody has answered",
    ),
    "a keystream where nothing was filled": (
        lambda r: returned(r, INITIALISE, imeis=[], keystream_bytes=4096),
        "initialise",
    ),
    "a chip that was never tied": (
        lambda r: returned(r, OBSERVE, screen_number=None, chip="c0ffee00" * 8),
        "observe",
    ),
    "a look at another enumeration": (
        lambda r: returned(r, OBSERVE, attachment="7:1"),
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
        lambda r: without_return(
            [x for x in r if x.entry.data.get("attachment") != "7:2"], OBSERVE
        ),
        "observe",
    ),
    "a malformed return": (lambda r: returned(r, OBSERVE, surplus=1), "came_back"),
}


def back_in_overwrite(**seen: Any) -> Records:  # noqa: ANN401 - JSON
    """A handset that has left while it was filled, and come back with this."""
    before = records_of_an_erasure()
    [end] = [
        record
        for record in before
        if record.entry.kind is EntryKind.STAGE_ENDED
        and record.entry.data["stage"] == StageName.OVERWRITE
    ]
    place = before.index(end)
    [*_, changed_port] = [r for r in before if r.entry.kind is EntryKind.ATTACHMENT_CHANGED]
    back = changed(end, came_back=to_json(ReturnEvidence(attachment="7:5", **seen)))
    left = changed(changed_port, attachment="7:5")
    return [*before[:place], left, back, *before[place + 1 :]]


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


def seen(**told: Any) -> ReturnEvidence:  # noqa: ANN401 - of several types
    return ReturnEvidence(attachment="7:2", **told)


def test_what_a_tie_is() -> None:
    known = Known(serial="S", imeis=frozenset({IMEI}), android_id="aa", tied_chip="c0")
    ties: Sequence[tuple[ReturnEvidence, set[Tie]]] = (
        (seen(serial="S"), {Tie.SERIAL}),
        (seen(imeis=(OTHER_IMEI, IMEI)), {Tie.IMEI}),
        (seen(android_id="aa"), {Tie.ANDROID_ID}),
        (seen(android_id=""), set()),
        (seen(chip="c0"), {Tie.CHIP}),
        (seen(screen_number=IMEI), {Tie.SCREEN_IMEI}),
        (seen(screen_number="S"), set()),
        (seen(), set()),
    )
    for sight, expected in ties:
        assert ties_of(known, sight) == expected
    assert not ties_of(Known(), seen(android_id="", serial=None))
    assert differences(known, seen(android_id=""))
    assert not differences(Known(), seen(serial=None, imeis=(IMEI,), android_id="aa"))
