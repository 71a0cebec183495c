"""From a job's records to the one value that a certificate can be made of.

`verify_erasure` reads what the ledger holds, nothing else, and refuses every gap. Only
it can make a `VerifiedErasure`, and only a `VerifiedErasure` can be certified.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchd.errors import CertificateGap
from benchd.people import same_person
from benchd.proof.chip import SKIPPED_FOR, ChipRecords, chip_gaps
from benchd.proof.evidence import EvidenceReader
from benchd.proof.network import SALEABLE, look_up_result
from benchd.proof.storage import StorageRecords, storage_gaps
from benchd.words.ids import Evidence, JobId
from benchd.words.job import Gate, Outcome, StageName
from benchd.words.port import ADB_INTERFACE
from benchd.words.record import EntryKind, StoredEntry

_SEAL: Final = object()

REQUIRED_STAGES: Final = (
    StageName.INSPECT,
    StageName.GATES,
    StageName.FELICA_CHECK,
    StageName.INITIALISE,
    StageName.OVERWRITE,
    StageName.READ_BACK,
    StageName.FELICA_CLEAR,
    StageName.FELICA_RECHECK,
    StageName.FINAL_RESET,
    StageName.OBSERVE,
    StageName.CONFIRM,
)
"""An erasure is these, in this order; a recipe that leaves one out can't be certified."""

ARRIVED_RESET: Final = "arrived_reset"
SKIPPABLE: Final[Mapping[StageName, frozenset[str]]] = {
    StageName.INITIALISE: frozenset({ARRIVED_RESET}),
    StageName.FELICA_CLEAR: frozenset(SKIPPED_FOR),
}
"""Which stages may be skipped, and for which reasons only."""

REQUIRED_APPROVALS: Final = (
    Gate.CONSENT,
    Gate.JPKI,
    Gate.NETWORK,
    Gate.FINAL_RESET,
    Gate.OBSERVE,
    Gate.CONFIRM,
)
"""What a person has to approve in every job; what the chip needs depends on who looked at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """The last attempt of one stage, as the ledger tells it."""

    stage: StageName
    outcome: Outcome
    started_sequence: int
    ended_sequence: int
    started_at: str
    ended_at: str
    evidence: Evidence
    skipped_because: str | None


class VerifiedErasure:
    """The proof of one erasure without a gap; can be made by `verify_erasure` alone."""

    __slots__ = ("job", "records", "stages")

    def __init__(
        self,
        seal: object,
        *,
        job: JobId,
        stages: Mapping[StageName, StageRecord],
        records: Sequence[StoredEntry],
    ) -> None:
        if seal is not _SEAL:
            message = "a VerifiedErasure comes from verify_erasure only"
            raise TypeError(message)
        self.job = job
        self.stages = dict(stages)
        self.records = tuple(records)

    def evidence_digest(self) -> str:
        """SHA-256 over the chain hashes of all the records that this proof rests on, as hex."""
        digest = hashlib.sha256()
        for record in self.records:
            digest.update(bytes.fromhex(record.hash_hex))
        return digest.hexdigest()


def stage_records(records: Sequence[StoredEntry]) -> list[StageRecord]:
    """Every ended attempt in order, each paired with the start that precedes it."""
    ended: list[StageRecord] = []
    started: StoredEntry | None = None
    for record in records:
        if record.entry.kind is EntryKind.STAGE_STARTED:
            started = record
        elif record.entry.kind is EntryKind.STAGE_ENDED and started is not None:
            reader = EvidenceReader(record.entry.data, "stage_ended")
            ended.append(
                StageRecord(
                    stage=StageName(reader.text("stage")),
                    outcome=Outcome(reader.text("outcome")),
                    started_sequence=started.sequence,
                    ended_sequence=record.sequence,
                    started_at=started.entry.at.isoformat(),
                    ended_at=record.entry.at.isoformat(),
                    evidence=reader.mapping("evidence"),
                    skipped_because=reader.optional_text("because"),
                )
            )
            started = None
    return ended


def verify_erasure(job: JobId, records: Sequence[StoredEntry]) -> VerifiedErasure:
    """The proof that the job's records hold, else CertificateGap with all that is missing."""
    gaps: list[str] = []
    attempts = stage_records(records)
    stages = {attempt.stage: attempt for attempt in attempts}
    gaps += _gaps_of_order(attempts, stages)
    gaps += _gaps_of_approval(records)
    checks = {
        StageName.GATES: _gaps_of_gates,
        StageName.INITIALISE: _gaps_of_initialise,
        StageName.READ_BACK: _gaps_of_storage,
        StageName.FELICA_CLEAR: _gaps_of_felica_clear,
        StageName.FELICA_RECHECK: _gaps_of_chip,
        StageName.OBSERVE: _gaps_of_observe,
        StageName.CONFIRM: _gaps_of_confirm,
    }
    for stage, check in checks.items():
        if stage in stages:
            try:
                gaps += check(stages, records)
            except CertificateGap as gap:
                gaps += gap.missing
    if gaps:
        raise CertificateGap(tuple(gaps))
    return VerifiedErasure(_SEAL, job=job, stages=stages, records=records)


def _gaps_of_order(
    attempts: Sequence[StageRecord], stages: Mapping[StageName, StageRecord]
) -> list[str]:
    gaps = [
        f"{stage}: there is no record of it" for stage in REQUIRED_STAGES if stage not in stages
    ]
    for stage, record in stages.items():
        if record.outcome is Outcome.SKIPPED:
            if record.skipped_because not in SKIPPABLE.get(stage, frozenset()):
                gaps.append(f"{stage}: skipped because of {record.skipped_because}")
        elif record.outcome is not Outcome.PASSED:
            gaps.append(f"{stage}: its last attempt ended as {record.outcome}")
    order = [stages[stage].ended_sequence for stage in REQUIRED_STAGES if stage in stages]
    if order != sorted(order):
        gaps.append("the stages were not run in the order that makes a proof")
    read_back = stages.get(StageName.READ_BACK)
    if read_back is not None:
        gaps += [
            f"{attempt.stage}: ran again after the read-back"
            for attempt in attempts
            if attempt.stage in (StageName.OVERWRITE, StageName.INITIALISE)
            and attempt.started_sequence > read_back.started_sequence
        ]
    return gaps


def _gaps_of_approval(records: Sequence[StoredEntry]) -> list[str]:
    answers = decisions(records)
    gaps = [
        f"{gate}: nobody has approved it"
        for gate in REQUIRED_APPROVALS
        if not any(answer.text("gate") == gate and answer.flag("approved") for answer in answers)
    ]
    latest = {answer.text("gate"): answer for answer in answers}
    gaps += [
        f"{gate}: the last answer was no"
        for gate in REQUIRED_APPROVALS
        if gate in latest and not latest[gate].flag("approved")
    ]
    return gaps


def decisions(records: Sequence[StoredEntry]) -> list[EvidenceReader]:
    """Every person's answer in these records, in order."""
    return [
        EvidenceReader(record.entry.data, "decision")
        for record in records
        if record.entry.kind is EntryKind.DECISION
    ]


Stages = Mapping[StageName, StageRecord]


def _read(stages: Stages, stage: StageName) -> EvidenceReader:
    record = stages.get(stage)
    return EvidenceReader(record.evidence if record else {}, stage)


def _gaps_of_gates(stages: Stages, records: Sequence[StoredEntry]) -> list[str]:
    gaps: list[str] = []
    if _read(stages, StageName.GATES).texts("accepted"):
        gaps.append("gates: something was let through that forbids an erasure")
    looked_up = [a for a in decisions(records) if a.text("gate") == Gate.NETWORK]
    if not looked_up or look_up_result(looked_up[-1].text("note")) not in SALEABLE:
        gaps.append("network: the result of the look-up isn't on record")
    return gaps


def _facts_of_reset(stages: Stages) -> EvidenceReader:
    """The handset as its reset left it, here or before it came in."""
    skipped = stages[StageName.INITIALISE].outcome is Outcome.SKIPPED
    evidence = _read(stages, StageName.INITIALISE)
    return EvidenceReader(evidence.mapping("before" if skipped else "after"), "initialise")


def _gaps_of_initialise(stages: Stages, _: Sequence[StoredEntry]) -> list[str]:
    record = stages[StageName.INITIALISE]
    evidence = _read(stages, StageName.INITIALISE)
    facts = _facts_of_reset(stages)
    gaps: list[str] = []
    if facts.whole("account_count") != 0:
        gaps.append("initialise: accounts are left")
    if facts.numbers("user_ids") != (0,):
        gaps.append("initialise: users other than the first are left")
    if facts.whole("third_party_packages") != 0:
        gaps.append("initialise: installed apps are left")
    if facts.whole("used_bytes") > evidence.whole("fresh_used_bytes"):
        gaps.append("initialise: more storage is in use than on a fresh handset")
    if record.outcome is Outcome.PASSED:
        before = EvidenceReader(evidence.mapping("before"), "initialise")
        if before.text("android_id") == facts.text("android_id"):
            gaps.append("initialise: android_id is the same as before")
    return gaps


def _gaps_of_storage(stages: Stages, _: Sequence[StoredEntry]) -> list[str]:
    return storage_gaps(
        StorageRecords(
            inspect=_read(stages, StageName.INSPECT),
            overwrite=_read(stages, StageName.OVERWRITE),
            read_back=_read(stages, StageName.READ_BACK),
        )
    )


def _gaps_of_felica_clear(stages: Stages, _: Sequence[StoredEntry]) -> list[str]:
    """A handset may leave its slot to be cleared, and has to be the one that comes back."""
    if stages[StageName.FELICA_CLEAR].outcome is Outcome.SKIPPED:
        return []
    if StageName.INITIALISE not in stages:
        return ["felica_clear: it can't be told which handset it was"]
    known = _facts_of_reset(stages).text("android_id")
    if known and _read(stages, StageName.FELICA_CLEAR).text("android_id") == known:
        return []
    return ["felica_clear: it wasn't the handset that was overwritten"]


def _gaps_of_chip(stages: Stages, records: Sequence[StoredEntry]) -> list[str]:
    clear = stages.get(StageName.FELICA_CLEAR)
    skipped = clear is not None and clear.outcome is Outcome.SKIPPED
    return chip_gaps(
        ChipRecords(
            inspect=_read(stages, StageName.INSPECT),
            check=_read(stages, StageName.FELICA_CHECK),
            clear=_read(stages, StageName.FELICA_CLEAR),
            clear_skipped=(clear.skipped_because or "") if clear and skipped else None,
            recheck=_read(stages, StageName.FELICA_RECHECK),
            answers={answer.text("gate"): answer.flag("approved") for answer in decisions(records)},
        )
    )


def _gaps_of_observe(stages: Stages, _: Sequence[StoredEntry]) -> list[str]:
    evidence = _read(stages, StageName.OBSERVE)
    kinds = set(evidence.texts("kinds"))
    gaps: list[str] = []
    if "operator_welcome" not in kinds:
        gaps.append("observe: nobody has seen the welcome screen")
    if "usb_reenumerated" not in kinds:
        gaps.append("observe: the handset wasn't seen to leave and come back as a reset makes it")
    if ADB_INTERFACE in evidence.texts("interfaces_after"):
        gaps.append("observe: adb is still on, which a plain reset switches off")
    return gaps


def _gaps_of_confirm(_: Stages, records: Sequence[StoredEntry]) -> list[str]:
    answers = decisions(records)
    confirmed = [a for a in answers if a.text("gate") == Gate.CONFIRM and a.flag("approved")]
    others = [a.text("operator") for a in answers if a.text("gate") != Gate.CONFIRM]
    if not confirmed:
        return ["confirm: nobody has confirmed"]
    if not others:
        return ["confirm: nobody is on record who ran the job"]
    if any(same_person(confirmed[-1].text("operator"), other) for other in others):
        return ["confirm: the same person ran the job and confirmed it"]
    return []
