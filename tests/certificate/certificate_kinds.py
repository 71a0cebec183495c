"""Certificates of each kind, from whole runs of the core, and the sentences that each says."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from benchd.certificate.certificate_sentences import Sentence
from benchd.certificate.statement import statement_of
from benchd.domain.chip import BaselineKind
from benchd.domain.clear_provider import ClearOutcome
from benchd.domain.errors import TransientFault
from benchd.domain.evidence_json import to_json
from benchd.domain.job import StageName
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.slot_states import SlotState
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence.clock_evidence import ClockStepEvidence
from benchd.proof.evidence.fresh_evidence import FreshPictures
from benchd.proof.evidence.other_racks_evidence import OtherRacksRecord
from tests.core.fake_chips import IN_USE, SILENT, UNUSED, FakeChip, FakeChipAccess
from tests.core.pictures import MEMO, picture, pictures
from tests.core.test_erasure import JOB, changed, streamed_records
from tests.core.test_read_back import sampled_records
from tests.core.world import Phone, World

Records = Sequence[StoredEntry]
Patch = pytest.MonkeyPatch
S = Sentence


async def run(
    phone: Phone | None = None,
    chip: FakeChip | None = None,
    known: FreshPictures | None = None,
) -> Records:
    """The records of a job that has passed, as its certificate was made from them."""
    world = World(chips=FakeChipAccess({"A1": chip}) if chip else None, pictures=known)
    async with world.running():
        world.ports["A1"].plug(phone or Phone())
        view = await world.until_state(SlotState.FINISHED)
    assert view.job is not None, view
    found = await world.ledger.entries(view.job)
    return [r for r in found if r.entry.kind is not EntryKind.JOB_ENDED][:-2]


async def broken_off(phone: Phone) -> None:
    if phone.calls["fill_step"] == 3:
        raise TransientFault("a loose cable")


async def pictured(_: Patch) -> Records:
    phone = Phone(maker_accounts=1, preinstalled=(MEMO,))
    return await run(phone, known=pictures(picture()))


async def set_back(_: Patch) -> Records:
    """A job over whose overwrite the rack's clock was set back."""
    found = list(await run())
    half = len(found) // 2
    step = ClockStepEvidence(set_back_s=3600.0, noticed="running")
    entry = Entry(
        kind=EntryKind.CLOCK_STEPPED, at=found[half].entry.at, job=JOB, data=to_json(step)
    )
    return [*found[:half], replace(found[half], entry=entry), *found[half:]]


async def asked_of_others(_: Patch) -> Records:
    """A job right before whose certificate the fleet's centre has answered."""
    found = list(await run())
    told = OtherRacksRecord(
        stage=StageName.CERTIFY,
        asked=True,
        because=None,
        with_chip=False,
        findings=(),
        lease=None,
        reply="{}",
    )
    last = found[-1]
    entry = Entry(kind=EntryKind.OTHER_RACKS_ASKED, at=last.entry.at, job=JOB, data=to_json(told))
    return [*found, replace(last, sequence=last.sequence + 1, entry=entry)]


INFERRED = replace(UNUSED, baseline_kind=BaselineKind.INFERRED)
SIMULATED = replace(UNUSED, baseline_kind=BaselineKind.SIMULATED)


async def tied(_: Patch) -> Records:
    phone = Phone(imei=None, switches_nfc=True)
    return await run(phone, FakeChip(of=phone))


async def of_unknown_origin(_: Patch) -> Records:
    found = await run(chip=FakeChip(looks=INFERRED))
    return changed(found, StageName.FELICA_RECHECK, {"baseline_kind": None})


ALWAYS = {
    *(S.METHOD, S.STANDARD, S.MEDIUM, S.NOMINAL_UNKNOWN, S.READ_BY),
    *(S.OVERWRITTEN, S.HOST_LOOKED, S.DELETED),
    *(S.NOT_WRITTEN, S.IN_USE, S.RESERVED, S.STILL_FREE, S.REST, S.JOURNAL, S.SPARE_CELLS),
    *(S.OTHER_PARTITIONS, S.CARDS, S.ESIM, S.SYSTEM_TRUSTED),
    *(S.USB_REENUMERATED, S.OPERATOR_WELCOME, S.BOUND_BY_KEYSTREAM),
}
BY_IMEI = {S.BOUND_BY_SCREEN_IMEI, S.IMEI_TOLD}
BY_PROGRAM = {S.BY_PROGRAM, S.READ_WHOLE} | BY_IMEI
BY_EYE = {S.CHIP_BY_EYE, S.OPERATOR_RECHECK, S.CLEAR_SKIPPED}
BY_READER = {S.READER_UNUSED, S.BOUND_BY_CHIP}
NOT_TIED = BY_READER | {S.READER_TRUSTED}
KINDS: dict[str, tuple[Callable[[Patch], Awaitable[Records]], set[Sentence]]] = {
    "native, chip by eye": (lambda _: run(), BY_PROGRAM | BY_EYE),
    "without telephony": (
        lambda _: run(Phone(imei=None, telephony=False)),
        {S.BY_PROGRAM, S.READ_WHOLE, S.BOUND_BY_SCREEN_SERIAL} | BY_EYE,
    ),
    "streamed": (
        lambda _: streamed_records(),
        {S.BY_HOST, S.SMALL_BY_HOST, S.READ_WHOLE} | BY_EYE | BY_IMEI,
    ),
    "resumed": (
        lambda _: run(Phone(faults={"fill_step": broken_off})),
        BY_PROGRAM | BY_EYE | {S.RESUMED},
    ),
    "sampled": (sampled_records, {S.BY_PROGRAM, S.READ_SAMPLED} | BY_EYE | BY_IMEI),
    "by a fresh picture": (pictured, BY_PROGRAM | BY_EYE | {S.EXCUSED}),
    "over a clock that was set back": (set_back, BY_PROGRAM | BY_EYE | {S.CLOCK_SET_BACK}),
    "asked of other racks": (asked_of_others, BY_PROGRAM | BY_EYE | {S.OTHER_RACKS_ASKED}),
    "chip scanned": (
        lambda _: run(chip=FakeChip()),
        BY_PROGRAM | NOT_TIED | {S.CHIP_OBSERVED, S.CLEAR_SKIPPED},
    ),
    "chip tied": (
        tied,
        {S.BY_PROGRAM, S.READ_WHOLE, S.BOUND_BY_TIED_CHIP, S.CHIP_OBSERVED, S.CLEAR_SKIPPED}
        | {S.BOUND_BY_SCREEN_IMEI, S.IMEI_READ_BY_TWO, S.NUMBER_BY_PEOPLE}
        | BY_READER,
    ),
    "chip cleared": (
        lambda _: run(chip=FakeChip(looks=IN_USE)),
        BY_PROGRAM | NOT_TIED | {S.CHIP_OBSERVED, S.CLEAR_CLAIMED, S.BOUND_BY_ANDROID_ID},
    ),
    "chip cleared by hand": (
        lambda _: run(chip=FakeChip(once=[IN_USE], claims=[ClearOutcome.NEEDS_OPERATOR])),
        BY_PROGRAM | NOT_TIED | {S.CHIP_OBSERVED, S.CLEAR_CLAIMED, S.BOUND_BY_ANDROID_ID},
    ),
    "no chip": (
        lambda _: run(Phone(felica_capable=False), FakeChip(looks=SILENT)),
        BY_PROGRAM
        | {S.CHIP_MISSING, S.READER_SILENT, S.HANDSET_NOT_CAPABLE, S.OPERATOR_NO_CHIP}
        | {S.CLEAR_SKIPPED},
    ),
    "inferred": (
        lambda _: run(chip=FakeChip(looks=INFERRED)),
        BY_PROGRAM | NOT_TIED | {S.CHIP_INFERRED, S.OPERATOR_ATTEST, S.CLEAR_SKIPPED},
    ),
    "simulated": (
        lambda _: run(chip=FakeChip(looks=SIMULATED)),
        BY_PROGRAM | NOT_TIED | {S.CHIP_SIMULATED, S.OPERATOR_ATTEST, S.CLEAR_SKIPPED},
    ),
    "of unknown origin": (
        of_unknown_origin,
        BY_PROGRAM | NOT_TIED | {S.CHIP_OF_UNKNOWN_ORIGIN, S.OPERATOR_ATTEST, S.CLEAR_SKIPPED},
    ),
}

for _name, (_make, _said) in KINDS.items():
    if S.OTHER_RACKS_ASKED not in _said:
        KINDS[_name] = (_make, _said | {S.OTHER_RACKS_NOT_ASKED})


def statement_on(records: Records) -> dict[str, Any]:
    at = records[-1].entry.at
    erasure = verify_erasure(JOB, records)
    return json.loads(
        json.dumps(to_json(statement_of(erasure, at=at, site="大宮", benchd_version="0")))
    )
