"""One erasure as a ledger holds it, and the statement that it makes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args, get_type_hints

from pydantic_core import to_jsonable_python

from benchd.certificate import DsseIssuer, SigningKey
from benchd.domain.chip import ChipVerdict
from benchd.domain.clear_provider import ClearOutcome
from benchd.domain.evidence_json import FORM, to_json
from benchd.domain.fill import FilledFile
from benchd.domain.ids import Evidence, JobId, JsonValue, SlotName
from benchd.domain.job import Gate, Outcome, StageName
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.lab.usual_handset import JUST_RESET, USUAL
from benchd.proof.erasure import HandsetErasure, verify_erasure
from benchd.proof.evidence.chip_evidence import ChipEvidence, ClearEvidence, OwnEraseEvidence
from benchd.proof.evidence.job_evidence import JobEvidence, ReturnEvidence
from benchd.proof.evidence.reset_evidence import FactsAgainEvidence
from tests import recorded

JOB = JobId("20261124-A1-0007")
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ISSUED_AT = START + timedelta(hours=4)
CAPACITY = 128_000_000_000
WRITTEN = 120_000_000_000
KEY_SHA256 = hashlib.sha256(b"key").hexdigest()

IMEI = "356938035643809"
HANDSET = replace(
    USUAL,
    serial="R5CT10ABCDE",
    imei=IMEI,
    capacity_bytes=CAPACITY,
    used_bytes=40_000_000_000,
    free_bytes=CAPACITY - 40_000_000_000,
    statfs_capacity_bytes=CAPACITY,
    statfs_free_bytes=CAPACITY - 40_000_000_000,
)
ERASER = "佐藤"
CONFIRMER = "鈴木"
IDS = {ERASER: "sato", CONFIRMER: "suzuki"}


class Job:
    """Collects the records of one job."""

    def __init__(self) -> None:
        self.records: list[StoredEntry] = []

    def add(self, kind: EntryKind, data: Evidence) -> None:
        sequence = 101 + len(self.records)
        self.records.append(
            StoredEntry(
                sequence=sequence,
                entry=Entry(
                    kind=kind,
                    at=START + timedelta(minutes=sequence),
                    slot=SlotName("A1"),
                    occupancy=7,
                    job=JOB,
                    data=data,
                ),
                hash_hex=hashlib.sha256(str(sequence).encode()).hexdigest(),
            )
        )

    def stage(
        self,
        stage: StageName,
        evidence: Evidence,
        *,
        skipped_because: str | None = None,
        came_back: ReturnEvidence | None = None,
    ) -> None:
        outcome = Outcome.PASSED if skipped_because is None else Outcome.SKIPPED
        self.add(EntryKind.STAGE_STARTED, {"stage": stage, "attempt": 1, "destructive": False})
        self.add(
            EntryKind.STAGE_ENDED,
            {
                "stage": stage,
                "outcome": outcome,
                "because": skipped_because,
                "form": FORM,
                "evidence": evidence if stage.startswith("felica") else whole(stage, evidence),
                "came_back": None if came_back is None else to_json(came_back),
            },
        )

    def decide(self, gate: Gate, operator: str, *, approved: bool = True, note: str = "") -> None:
        self.add(
            EntryKind.DECISION,
            {
                "gate": gate,
                "approved": approved,
                "operator": operator,
                **shown(operator),
                "note": "○" if gate is Gate.NETWORK else note,
                "at": "2026-11-24T09:30:00+00:00",
                "via": {"peer": "127.0.0.1"},
            },
        )


def whole(stage: StageName, evidence: Evidence) -> Evidence:
    """With each field that isn't given as where it doesn't apply, as today's form wants it."""
    kinds = get_type_hints(JobEvidence)
    kind = next((k for k in get_args(kinds.get(stage)) if k is not type(None)), None)
    if kind is None or not evidence:
        return evidence
    defaults = {f.name: f.default for f in fields(kind) if f.default is not MISSING}
    return {**to_jsonable_python(defaults), **evidence}


def reset_facts(android_id: str) -> Evidence:
    facts = replace(JUST_RESET, android_id=android_id, used_bytes=900_000_000, boot_count=3)
    return to_json(replace(facts, test_harness=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipStory:
    """What a job's records say of its chip."""

    check: Evidence
    clear: Evidence | str
    """Its evidence, or why it was skipped."""
    recheck: Evidence
    answers: Mapping[Gate, bool]
    """The answers at the check, the clear and the re-check."""
    capable: bool | None = True
    erase: Evidence | None = None
    """What the handset itself did to it; None where it wasn't asked."""


def shown(name: str) -> Evidence:
    """Who an answer is of beside the name, and how they showed that."""
    return {"person": IDS.get(name, name), "shown_by": "badge_and_pin", "source": "127.0.0.1"}


def answer(gate: Gate, operator: str, *, approved: bool = True) -> Evidence:
    """A decision inside of a stage's evidence."""
    return {
        "gate": gate,
        "approved": approved,
        "operator": operator,
        **shown(operator),
        "note": "",
        "at": "2026-11-24T09:30:00+00:00",
    }


def seen_by_operator(verdict: str, gate: Gate) -> Evidence:
    told = ChipEvidence(source="operator", verdict=ChipVerdict(verdict))
    return {**to_json(told), "answer": answer(gate, ERASER, approved=verdict == "unused")}


CHIP_BASE: Evidence = {
    **to_json(ChipEvidence(source="reader", verdict=ChipVerdict.UNUSED)),
    "source": "reader",
    "verdict": "unused",
    "chip": "c0ffee00" * 8,
    "ic_type": "18",
    "systems": [{"code": "FE00", "node_count": 1, "residue": []}],
    "polled": ["FFFF", "FE00"],
    "passes": 1,
    "power_cycled": False,
    "baseline": "m41/3",
    "baseline_kind": "observed",
    "owners_en": [],
    "owners_ja": [],
}
SILENT_BASE: Evidence = {
    **CHIP_BASE,
    "verdict": "no_chip",
    "over_the_air": "silent",
    "chip": None,
    "ic_type": None,
    "systems": [],
    "baseline": None,
    "baseline_kind": None,
}


def cleared_by(provider: str) -> Evidence:
    return to_json(
        ClearEvidence(
            provider=provider,
            claim=ClearOutcome.DONE,
            detail="",
            report=None,
            vendor_code=None,
            elapsed_s=1.5,
            consent=ERASER,
            android_id="bbbb",
        )
    )


TWICE: Evidence = {"passes": 2, "power_cycled": True}
LOOKED_AT = ChipStory(
    check=seen_by_operator("in_use", Gate.FELICA_CHECK),
    clear=cleared_by("operator"),
    recheck=seen_by_operator("unused", Gate.FELICA_RECHECK),
    answers={Gate.FELICA_CHECK: False, Gate.FELICA_CLEAR: True, Gate.FELICA_RECHECK: True},
)
SCANNED = ChipStory(
    check=CHIP_BASE, clear="chip_unused", recheck={**CHIP_BASE, **TWICE}, answers={}
)
CLEARED = replace(
    SCANNED,
    check={
        **CHIP_BASE,
        "verdict": "in_use",
        "systems": [{"code": "0003", "node_count": 2, "residue": ["090F"]}],
        "owners_en": ["Suica"],
        "owners_ja": ["Suica"],
    },
    clear=cleared_by("tool"),
)
ERASED_ITSELF = replace(
    CLEARED,
    erase=to_json(
        OwnEraseEvidence(
            claim=ClearOutcome.DONE,
            consent=ERASER,
            signed_in=True,
            catalogue_sha256=KEY_SHA256,
            answers=(),
            seen=ChipVerdict.UNUSED,
        )
    ),
    clear=cleared_by("handset"),
    answers={Gate.FELICA_ERASE: True},
)
SIMULATED = replace(
    SCANNED,
    recheck={**CHIP_BASE, **TWICE, "baseline_kind": "simulated", "baseline": "virtual/1"},
    answers={Gate.FELICA_ATTEST: True},
)
INFERRED = replace(
    SCANNED,
    recheck={**CHIP_BASE, **TWICE, "baseline_kind": "inferred"},
    answers={Gate.FELICA_ATTEST: True},
)
WITHOUT_CHIP = ChipStory(
    check={
        **SILENT_BASE,
        "felica_capable": False,
        "catalogue": {"felica": "unknown", "sha256": KEY_SHA256},
    },
    clear="no_chip",
    recheck={**SILENT_BASE, **TWICE},
    answers={Gate.FELICA_NO_CHIP: True},
    capable=False,
)
STORIES = {
    "looked at": LOOKED_AT,
    "scanned": SCANNED,
    "cleared": CLEARED,
    "erased itself": ERASED_ITSELF,
    "simulated": SIMULATED,
    "inferred": INFERRED,
    "without chip": WITHOUT_CHIP,
}


def facts_again(handset: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """What was read again right before the last reset: nothing is in the way."""
    at = START + timedelta(hours=1)
    again: dict[str, JsonValue] = {
        **to_json(FactsAgainEvidence.of(HANDSET, at=at, before_reset_s=12.5))
    }
    same = ("serial", "manufacturer", "model", "imei", "second_imei")
    return again | {name: handset[name] for name in same if name in handset}


def records_of_an_erasure(
    handset: Mapping[str, JsonValue] | None = None, chip: ChipStory = LOOKED_AT
) -> list[StoredEntry]:
    """All records of a job that proves an erasure; `handset` replaces what it said it was."""
    job = Job()
    job.add(
        EntryKind.JOB_OPENED,
        {
            "recipe": "overwrite",
            "recipe_sha256": KEY_SHA256,
            "recheck_share": 0.0,
            "attachment": "7:0",
        },
    )
    job.stage(
        StageName.INSPECT, {**to_json(HANDSET), "felica_capable": chip.capable, **(handset or {})}
    )
    for gate in (Gate.NETWORK, Gate.CONSENT, Gate.JPKI):
        job.decide(gate, ERASER)
    job.stage(
        StageName.GATES,
        {
            "minimum_battery_percent": 30,
            "battery_percent": 80,
            "accepted": [],
            "watch_list": None,
            "answers": [answer(Gate.CONSENT, ERASER)],
            "nominal_bytes": 128_000_000_000,
            "nominal_sizes_sha256": "0" * 64,
            "doomed_by": [],
        },
    )
    job.stage(StageName.FELICA_CHECK, chip.check)
    if chip.erase is not None:
        job.stage(StageName.FELICA_ERASE, chip.erase)
    job.add(EntryKind.ATTACHMENT_CHANGED, {"attachment": "7:1"})
    job.stage(
        StageName.INITIALISE,
        {
            "method": "test_harness",
            "before": reset_facts("aaaa"),
            "after": reset_facts("bbbb"),
            "fresh_used_bytes": 1_000_000_000,
            "fresh_used_share": 0.2,
            "absent_s": 61.5,
        },
        came_back=ReturnEvidence(attachment="7:1", imeis=(IMEI,)),
    )
    written = recorded.overwrite(
        key_sha256=KEY_SHA256,
        file_bytes=WRITTEN,
        bytes_written=WRITTEN,
        free_bytes_before=WRITTEN,
        elapsed_s=600.0,
        capacity_bytes=CAPACITY,
        used_bytes_before=900_000_000,
        reserved_bytes=134_217_728,
        logs="by_name_and_lifetime",
        files=(FilledFile(name="fill-000000.dat", stream_offset=0, size_bytes=WRITTEN),),
    )
    job.stage(StageName.OVERWRITE, written)
    read = recorded.read_back(
        bytes_proven=WRITTEN,
        bytes_shown=WRITTEN,
        capacity_bytes=CAPACITY,
        coverage=WRITTEN / CAPACITY,
        coverage_of_free=1.0,
        host_samples=66,
        host_past_cache="eviction_seen",
        check_elapsed_s=500.0,
        files_removed=1,
        free_bytes_after_drop=WRITTEN,
        trim="done",
        trimmed_bytes=WRITTEN,
        seed="00ff",
    )
    job.stage(StageName.READ_BACK, read)
    for gate, approved in chip.answers.items():
        job.decide(gate, ERASER, approved=approved)
    if isinstance(chip.clear, str):
        job.stage(StageName.FELICA_CLEAR, {}, skipped_because=chip.clear)
    else:
        job.stage(StageName.FELICA_CLEAR, chip.clear)
    job.stage(StageName.FELICA_RECHECK, chip.recheck)
    job.decide(Gate.FINAL_RESET, ERASER)
    job.add(EntryKind.ATTACHMENT_CHANGED, {"attachment": "7:2"})
    job.stage(
        StageName.FINAL_RESET,
        {
            "method": "guided",
            "answer": answer(Gate.FINAL_RESET, ERASER),
            "absent_s": 47.25,
            "interfaces_before": ["ff4201"],
            "interfaces_after": ["060101"],
            "attachment_before": "7:1",
            "attachment_after": "7:2",
            "facts_again": facts_again(handset or {}),
        },
    )
    job.decide(Gate.OBSERVE, ERASER)
    job.decide(Gate.IMEI, ERASER, note=IMEI)
    job.stage(
        StageName.OBSERVE,
        {
            "kinds": ["usb_reenumerated", "operator_welcome"],
            "absent_s": 47.25,
            "minimum_absence_s": 20.0,
            "interfaces_after": ["060101"],
            "answer": answer(Gate.OBSERVE, ERASER),
        },
        came_back=ReturnEvidence(attachment="7:2", screen_number=IMEI),
    )
    job.decide(Gate.CONFIRM, CONFIRMER)
    job.stage(StageName.CONFIRM, {"answer": answer(Gate.CONFIRM, CONFIRMER)})
    return job.records


def proven_erasure(
    handset: Mapping[str, JsonValue] | None = None, chip: ChipStory = LOOKED_AT
) -> HandsetErasure:
    return verify_erasure(JOB, records_of_an_erasure(handset, chip))


def issuer_of(key: SigningKey, directory: Path) -> DsseIssuer:
    return DsseIssuer(key=key, directory=directory, site="大宮", benchd_version="0.1.0")
