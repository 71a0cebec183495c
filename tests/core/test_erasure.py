"""The certificate's gatekeeper: take anything away from a good record and it must refuse."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest

from benchd.domain.chip import BaselineKind
from benchd.domain.clear_provider import ClearOutcome
from benchd.domain.errors import CertificateGap
from benchd.domain.ids import JobId
from benchd.domain.job import Gate, Outcome, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.slot_states import SlotState
from benchd.pipelines.job_state_machine import JOB_MOVES
from benchd.proof.erasure import ANDROID_PROFILE, HandsetErasure, VerifiedErasure, verify_erasure
from benchd.proof.stage_order import REQUIRED_APPROVALS, REQUIRED_STAGES
from benchd.slots.slot_state_machine import SLOT_MOVES

from .fake_chips import IN_USE, SILENT, UNUSED, FakeChip, FakeChipAccess
from .world import MIB, Phone, World

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

JOB = JobId("J")


CHIPS = {
    "no reader": None,
    "unused": FakeChip(),
    "cleared": FakeChip(looks=IN_USE),
    "cleared by hand": FakeChip(once=[IN_USE], claims=[ClearOutcome.NEEDS_OPERATOR]),
    "inferred": FakeChip(looks=replace(UNUSED, baseline_kind=BaselineKind.INFERRED)),
    "no chip": FakeChip(looks=SILENT),
}


async def good_records(*, live_data: bool = True, chip: str = "no reader") -> list[StoredEntry]:
    """The records of a job that passed, without its end."""
    on_reader = copy.deepcopy(CHIPS[chip])
    world = World(chips=FakeChipAccess({"A1": on_reader}) if on_reader else None)
    used = 30 * MIB if live_data else MIB
    await world.end_of(Phone(used_bytes=used, felica_capable=chip != "no chip"))
    _, records = await world.proof()
    return records


def changed(
    records: Sequence[StoredEntry], stage: StageName, change: Mapping[str, Any]
) -> list[StoredEntry]:
    """The same records with a stage's evidence altered."""
    result: list[StoredEntry] = []
    for record in records:
        data = json.loads(json.dumps(dict(record.entry.data)))
        if record.entry.kind is EntryKind.STAGE_ENDED and data["stage"] == stage:
            for key, value in change.items():
                place = data["evidence"]
                *parents, last = key.split(".")
                for parent in parents:
                    place = place[parent]
                if value is ...:
                    del place[last]
                else:
                    place[last] = value
        result.append(replace(record, entry=replace(record.entry, data=data)))
    return result


def said(
    records: Sequence[StoredEntry], kind: EntryKind, where: Mapping[str, Any], **changes: object
) -> list[StoredEntry]:
    """The same records; those of a kind that say one thing say something else besides."""
    return [
        replace(r, entry=replace(r.entry, data={**r.entry.data, **changes}))
        if r.entry.kind is kind and where.items() <= r.entry.data.items()
        else r
        for r in records
    ]


@pytest.mark.parametrize("chip", CHIPS)
async def test_a_good_record_verifies(chip: str) -> None:
    for live_data in (True, False):
        erasure = verify_erasure(JOB, await good_records(live_data=live_data, chip=chip))
        assert len(erasure.evidence_digest()) == 64


async def test_nothing_else_can_make_a_verified_erasure() -> None:
    with pytest.raises(TypeError):
        VerifiedErasure(object(), job=JOB, profile=ANDROID_PROFILE, case=ANY, records=())
    with pytest.raises(TypeError):
        HandsetErasure(object(), job=JOB, case=ANY, records=(), former_imeis=frozenset())


@pytest.mark.parametrize("chip", CHIPS)
async def test_any_record_taken_away_leaves_a_gap(chip: str) -> None:
    records = await good_records(chip=chip)
    telling = (EntryKind.STAGE_ENDED, EntryKind.STAGE_STARTED, EntryKind.DECISION)
    for index, record in enumerate(records):
        if record.entry.kind not in telling:
            continue
        with pytest.raises(CertificateGap):
            verify_erasure(JOB, [*records[:index], *records[index + 1 :]])


@pytest.mark.parametrize("state", ["unencrypted", "unsupported"])
async def test_plain_text_that_may_be_left_is_a_gap(state: str) -> None:
    records = await good_records()
    with pytest.raises(CertificateGap, match="isn't encrypted"):
        verify_erasure(JOB, changed(records, StageName.INSPECT, {"crypto_state": state}))


@pytest.mark.parametrize("stage", REQUIRED_STAGES)
@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.PASSED])
async def test_a_stage_that_did_not_pass_is_a_gap(stage: StageName, outcome: Outcome) -> None:
    if outcome is Outcome.SKIPPED and stage is StageName.FELICA_CLEAR:
        return
    records = said(await good_records(), EntryKind.STAGE_ENDED, {"stage": stage}, outcome=outcome)
    with pytest.raises(CertificateGap):
        verify_erasure(JOB, records)


CHIP_APPROVALS = [
    ("no reader", Gate.FELICA_CHECK),
    ("no reader", Gate.FELICA_RECHECK),
    ("cleared by hand", Gate.FELICA_CLEAR),
    ("inferred", Gate.FELICA_ATTEST),
    ("no chip", Gate.FELICA_NO_CHIP),
]


@pytest.mark.parametrize(
    ("chip", "gate"), [*CHIP_APPROVALS, *(("cleared", gate) for gate in REQUIRED_APPROVALS)]
)
async def test_a_no_at_any_gate_is_a_gap(chip: str, gate: Gate) -> None:
    good = await good_records(chip=chip)
    records = said(good, EntryKind.DECISION, {"gate": gate}, approved=False)
    with pytest.raises(CertificateGap, match=gate):
        verify_erasure(JOB, records)


LIES: dict[str, tuple[StageName, dict[str, Any]]] = {
    "accounts left": (StageName.INITIALISE, {"after.account_count": 1}),
    "accounts of its maker left": (StageName.INITIALISE, {"after.maker_accounts": 1}),
    "users left": (StageName.INITIALISE, {"after.user_ids": [0, 10]}),
    "apps left": (StageName.INITIALISE, {"after.third_party_packages": 1}),
    "data left": (StageName.INITIALISE, {"after.used_bytes": 1 << 40}),
    "files left": (StageName.INITIALISE, {"after.owner_files": 1}),
    "calls left": (StageName.INITIALISE, {"after.call_count": 1}),
    "contacts left": (StageName.INITIALISE, {"after.contact_count": 1}),
    "messages left": (StageName.INITIALISE, {"after.message_count": 1}),
    "started often": (StageName.INITIALISE, {"after.boot_count": 214}),
    "more in use than a fifth": (
        StageName.INITIALISE,
        {"after.used_bytes": 14 * MIB, "fresh_used_bytes": 1 << 40, "fresh_used_share": 1.0},
    ),
    "half of what it is sold with": (StageName.GATES, {"nominal_bytes": 128 * MIB}),
    "no threshold": (StageName.INITIALISE, {"fresh_used_bytes": ...}),
    "nothing written": (StageName.OVERWRITE, {"bytes_written": 0, "files": []}),
    "files don't add up": (StageName.OVERWRITE, {"bytes_written": 4096}),
    "a bad byte": (StageName.READ_BACK, {"bytes_bad": 1}),
    "no word on bad bytes": (StageName.READ_BACK, {"bytes_bad": ...}),
    "a byte less proven": (StageName.READ_BACK, {"bytes_proven": 62410751}),
    "a sample that isn't named so": (StageName.READ_BACK, {"bytes_proven": 50000000}),
    "a sample without a plan": (StageName.READ_BACK, {"check_mode": "sampled"}),
    "a small file differs": (StageName.READ_BACK, {"small_files_same": 2}),
    "no word on small files": (StageName.READ_BACK, {"small_files_same": ...}),
    "more found than there is": (StageName.OVERWRITE, {"resumed_bytes": 1 << 40}),
    "no word on how much": (StageName.READ_BACK, {"check_mode": ...}),
    "another word on how much": (StageName.READ_BACK, {"check_mode": "quick"}),
    "host samples out of the cache": (StageName.READ_BACK, {"host_past_cache": "cached"}),
    "host samples after the fill program's word": (
        StageName.READ_BACK,
        {"host_past_cache": "evicted_by_program"},
    ),
    "no word on the host's way": (StageName.READ_BACK, {"host_past_cache": ...}),
    "text for a number": (StageName.READ_BACK, {"bytes_proven": "62410752"}),
    "true for a number": (StageName.READ_BACK, {"host_samples": True}),
    "storage shrank": (StageName.READ_BACK, {"capacity_bytes": 62410752}),
    "threshold too high": (StageName.READ_BACK, {"minimum_coverage": 0.99}),
    "threshold too low": (StageName.READ_BACK, {"minimum_coverage": 0.01}),
    "row 4's threshold": (StageName.READ_BACK, {"minimum_coverage": 0.5}),
    "through the cache": (StageName.READ_BACK, {"past_cache": "page_cache"}),
    "no samples": (StageName.READ_BACK, {"host_samples": 0}),
    "a sample differs": (StageName.READ_BACK, {"host_mismatches": 1}),
    "no word on how it was written": (StageName.OVERWRITE, {"mode": ...}),
    "another word on how it was written": (StageName.OVERWRITE, {"mode": "dictated"}),
    "streamed by a program": (StageName.OVERWRITE, {"mode": "streamed"}),
    "no program, and not streamed": (StageName.OVERWRITE, {"program_version": "none"}),
    "chip in use": (StageName.FELICA_RECHECK, {"verdict": "in_use"}),
    "only adb gone": (StageName.OBSERVE, {"kinds": ["adb_gone"]}),
    "nobody looked": (StageName.OBSERVE, {"kinds": ["usb_reenumerated"]}),
    "only a look": (StageName.OBSERVE, {"kinds": ["operator_welcome"]}),
    "away for too short": (
        StageName.OBSERVE,
        {"absent_s": 2.0, "minimum_absence_s": 0.001},
    ),
    "another absence": (StageName.OBSERVE, {"absent_s": 60.0}),
    "an absence shorter than the recipe's": (StageName.OBSERVE, {"minimum_absence_s": 600.0}),
    "adb still on": (StageName.OBSERVE, {"interfaces_after": ["ff4201"]}),
}


@pytest.mark.parametrize("lie", LIES)
async def test_evidence_that_does_not_prove_is_a_gap(lie: str) -> None:
    stage, change = LIES[lie]
    with pytest.raises(CertificateGap):
        verify_erasure(JOB, changed(await good_records(), stage, change))


STREAMED: dict[str, Any] = {
    "mode": "streamed",
    "program_version": "none",
    "cipher": "aes-128-ctr",
    "small_files": 0,
    "directories": 0,
}
STREAMED_LIES: dict[str, tuple[StageName, dict[str, Any]]] = {
    "another cipher": (StageName.OVERWRITE, {"cipher": "chacha8"}),
    "small files": (StageName.OVERWRITE, {"small_files": 1}),
    "directories": (StageName.OVERWRITE, {"directories": 1}),
    "no word on directories": (StageName.OVERWRITE, {"directories": ...}),
    "a cache that was only asked to go": (StageName.READ_BACK, {"past_cache": "evicted"}),
    "samples out of such a cache": (StageName.READ_BACK, {"host_past_cache": "evicted"}),
    "samples by a program": (StageName.READ_BACK, {"host_past_cache": "eviction_seen"}),
}


async def streamed_records() -> list[StoredEntry]:
    records = changed(await good_records(), StageName.OVERWRITE, STREAMED)
    return changed(
        records,
        StageName.READ_BACK,
        {"small_files_same": 0, "past_cache": "o_direct", "host_past_cache": "o_direct"},
    )


async def test_what_the_host_has_streamed_and_read_by_o_direct_verifies() -> None:
    verify_erasure(JOB, await streamed_records())


@pytest.mark.parametrize("lie", STREAMED_LIES)
async def test_what_the_host_has_streamed_is_proven_by_o_direct_alone(lie: str) -> None:
    stage, change = STREAMED_LIES[lie]
    with pytest.raises(CertificateGap):
        verify_erasure(JOB, changed(await streamed_records(), stage, change))


async def test_the_same_person_cannot_confirm() -> None:
    good = await good_records()
    records = said(good, EntryKind.DECISION, {"gate": Gate.CONFIRM}, operator="SATO ")
    with pytest.raises(CertificateGap, match="same person"):
        verify_erasure(JOB, records)


async def test_an_overwrite_after_the_read_back_is_a_gap() -> None:
    records = await good_records()
    again = [
        replace(r, sequence=r.sequence + 1000, entry=replace(r.entry, at=r.entry.at + timedelta(1)))
        for r in records
        if r.entry.data.get("stage") == StageName.OVERWRITE
    ]
    with pytest.raises(CertificateGap):
        verify_erasure(JOB, [*records, *again])


async def test_every_state_has_a_way_in_and_a_way_out() -> None:
    reachable = {SlotState.EMPTY, SlotState.QUARANTINED}
    while True:
        more = {target for state in reachable for target in SLOT_MOVES[state]} | reachable
        if more == reachable:
            break
        reachable = more
    assert reachable == set(SlotState)
    assert all(SLOT_MOVES[state] for state in SlotState)
    assert all(SlotState.EMPTY in SLOT_MOVES[s] for s in SlotState if s is not SlotState.EMPTY)
    assert set(JOB_MOVES) == {state for moves in JOB_MOVES.values() for state in moves}
