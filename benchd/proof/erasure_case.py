"""What a job's records say of its erasure, and every gap of it but those of a recheck's draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchd.domain.errors import CertificateGap
from benchd.domain.ids import ANDROID, JobId
from benchd.domain.imei import imeis_in_text
from benchd.domain.job import Gate, Outcome, StageName
from benchd.domain.record import StoredEntry
from benchd.proof.binding import (
    NUMBER_GATES,
    Chain,
    Known,
    chain_of,
    screen_number,
)
from benchd.proof.capacity import capacity_gaps, is_clearly_less, is_clearly_more
from benchd.proof.chip_proof import ChipCase, chip_gaps
from benchd.proof.evidence.job_evidence import ErasureEvidence
from benchd.proof.final_reset_proof import absence_gaps, last_look_gaps, observe_gaps, standing_gaps
from benchd.proof.fresh_proof import (
    excused_accounts,
    excused_packages,
    freshness_gaps,
    picture_gaps,
    picture_of,
    pictured_bytes,
)
from benchd.proof.gate_waiver_proof import WaiverCase, waiver_gaps
from benchd.proof.identity.same_handset import Handsets
from benchd.proof.job_records import (
    DecisionRecord,
    StageRecord,
    decisions,
    kind_gaps,
    stage_records,
)
from benchd.proof.network import SALEABLE, look_up_result
from benchd.proof.record_subject import imeis_in
from benchd.proof.separation_of_duties import confirm_gaps, scanner_gaps
from benchd.proof.stage_order import REQUIRED_STAGES, approval_gaps, order_gaps
from benchd.proof.storage_proof import end_gaps, reach_gaps, storage_gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureCase:
    """What a job's records say where no stage is missing; proves nothing yet."""

    stages: Mapping[StageName, StageRecord]
    """The last attempt of each stage."""
    evidence: ErasureEvidence
    answers: Sequence[DecisionRecord]
    binding: Chain
    intake: WaiverCase
    read_twice: frozenset[str]
    """The IMEIs that two people read on its screen, the second after its last reset."""

    def skipped(self, stage: StageName) -> str | None:
        """Why a stage was skipped; None where it was run."""
        record = self.stages[stage]
        return record.skipped_because if record.outcome is Outcome.SKIPPED else None


def judged(
    job: JobId, records: Sequence[StoredEntry], intake: Sequence[StoredEntry], handsets: Handsets
) -> tuple[ErasureCase, list[str]]:
    """What the records say of the erasure, and every gap of it but those of a draw."""
    if gaps := kind_gaps(ANDROID, records):
        raise CertificateGap(tuple(gaps))
    attempts = stage_records(records)
    stages = {attempt.stage: attempt for attempt in attempts}
    answers = decisions(records)
    gaps = order_gaps(attempts, stages)
    try:
        evidence = _evidence_of(stages)
        settled = WaiverCase.of(job, evidence, stages, answers, records, intake, handsets)
    except CertificateGap as gap:
        raise CertificateGap((*gaps, *approval_gaps(answers), *gap.missing)) from gap
    gaps += approval_gaps(answers, settled.needs_no_answer())
    case = ErasureCase(
        stages=stages,
        evidence=evidence,
        answers=answers,
        binding=chain_of(records, attempts, evidence, answers),
        intake=settled,
        read_twice=handsets.me.read_twice,
    )
    for check in _CHECKS:
        gaps += check(case)
    return case, gaps


def _evidence_of(stages: Mapping[StageName, StageRecord]) -> ErasureEvidence:
    """What every stage of an erasure saw; CertificateGap with all that is missing or malformed."""
    seen: dict[str, object] = {StageName.FELICA_ERASE: None, StageName.FELICA_CLEAR: None}
    gaps: list[str] = []
    for stage in (*REQUIRED_STAGES, StageName.FELICA_ERASE):
        if stage not in stages:
            if stage in REQUIRED_STAGES:
                gaps.append(f"{stage}: there is no record of it")
            continue
        try:
            found = stages[stage].evidence()
        except CertificateGap as gap:
            gaps += gap.missing
            continue
        if found is not None:
            seen[stage] = found
        elif stage not in seen:
            gaps.append(f"{stage}: what it saw isn't on record")
    if gaps:
        raise CertificateGap(tuple(gaps))
    return ErasureEvidence(**seen)  # pyright: ignore[reportArgumentType]


def _of_gates(case: ErasureCase) -> list[str]:
    gaps: list[str] = []
    if case.evidence.gates.accepted:
        gaps.append("gates: something was let through that forbids an erasure")
    gates = case.evidence.gates
    numbers = {number for number in (gates.screen_number, gates.second_number) if number}
    if not numbers <= _numbers_read(case.answers):
        gaps.append("gates: nobody has read the number on the handset's screen")
    locks = [answer for answer in case.answers if answer.gate is Gate.LOCK_ADMIN]
    if case.evidence.inspect.lock_admins and not (locks and locks[-1].approved):
        gaps.append("gates: nobody has looked whether a lender can lock it")
    nominal_bytes = case.evidence.gates.nominal_bytes
    if nominal_bytes and is_clearly_less(case.evidence.inspect.capacity_bytes, nominal_bytes):
        gaps.append("gates: the storage is smaller than its model is sold with")
    if nominal_bytes and is_clearly_more(case.evidence.inspect.capacity_bytes, nominal_bytes):
        gaps.append("gates: the storage is larger than its model is sold with")
    looked_up = [answer for answer in case.answers if answer.gate is Gate.NETWORK]
    if not looked_up and Gate.NETWORK in case.intake.settled:
        return gaps
    if not looked_up or look_up_result(looked_up[-1].note) not in SALEABLE:
        gaps.append("network: the result of the look-up isn't on record")
    return gaps


def _of_earlier_jobs(case: ErasureCase) -> list[str]:
    """A handset that was to be destroyed goes on only with the word of somebody in charge."""
    answers = [answer for answer in case.answers if answer.gate is Gate.DESTROYED_BEFORE]
    if answers and not answers[-1].approved:
        return [f"{Gate.DESTROYED_BEFORE}: the last answer was no"]
    doomed_by = case.evidence.gates.doomed_by
    if doomed_by is None:
        return ["gates: nobody has looked whether it was to be destroyed"]
    if doomed_by and not answers:
        return [f"{Gate.DESTROYED_BEFORE}: nobody has approved it"]
    if doomed_by and not answers[-1].note.strip():
        return [f"{Gate.DESTROYED_BEFORE}: nobody has said why it may go on"]
    return []


def _numbers_read(answers: Sequence[DecisionRecord]) -> set[str | None]:
    read = [answer for answer in answers if answer.approved and answer.gate in NUMBER_GATES]
    imeis = {imei for a in read if a.gate is Gate.IMEI for imei in imeis_in_text(a.note)}
    return imeis | {screen_number(answer.gate, answer.note) for answer in read}


def _of_number(case: ErasureCase) -> list[str]:
    """Where people alone know its number, two have read it, and the second after all resets."""
    if not Known.of(case.evidence).by_people:
        return []
    if imeis_in(case.evidence.gates) & case.read_twice:
        return []
    return ["identity: no second person has read its IMEI on its screen after the last reset"]


def _of_initialise(case: ErasureCase) -> list[str]:
    evidence = case.evidence.initialise
    left, picture = evidence.left, picture_of(evidence)
    gaps = picture_gaps(evidence.picture, case.evidence.inspect)
    if (evidence.after is None) is not bool(case.skipped(StageName.INITIALISE)):
        gaps.append("initialise: it can't be told whether the handset was reset here")
    if left.account_count + left.maker_accounts != excused_accounts(left, picture):
        gaps.append("initialise: accounts are left")
    if left.user_ids != (0,):
        gaps.append("initialise: users other than the first are left")
    if left.third_party_packages != excused_packages(left, picture):
        gaps.append("initialise: installed apps are left")
    if left.used_bytes > max(evidence.fresh_used_bytes, pictured_bytes(picture)):
        gaps.append("initialise: more storage is in use than on a fresh handset")
    if evidence.after is not None and evidence.before.android_id == evidence.after.android_id:
        gaps.append("initialise: android_id is the same as before")
    return gaps


def _of_freshness(case: ErasureCase) -> list[str]:
    evidence = case.evidence
    return freshness_gaps(evidence.initialise, evidence.inspect.capacity_bytes)


def _of_storage(case: ErasureCase) -> list[str]:
    inspect, overwrite = case.evidence.inspect, case.evidence.overwrite
    read_back = case.evidence.read_back
    return [
        *storage_gaps(inspect, overwrite, read_back),
        *reach_gaps(inspect, overwrite, read_back),
        *capacity_gaps(inspect),
        *end_gaps(case.evidence.initialise, overwrite),
    ]


def _of_felica_clear(case: ErasureCase) -> list[str]:
    """A handset may leave its slot to be cleared, and has to be the one that comes back."""
    if case.skipped(StageName.FELICA_CLEAR):
        return []
    clear = case.evidence.felica_clear
    if clear is None:
        return ["felica_clear: what it saw isn't on record"]
    known = case.evidence.initialise.left.android_id
    if known and clear.android_id == known:
        return []
    return ["felica_clear: it wasn't the handset that was overwritten"]


def _of_chip(case: ErasureCase) -> list[str]:
    evidence = case.evidence
    return chip_gaps(
        ChipCase(
            inspect=evidence.inspect,
            check=evidence.felica_check,
            erase=evidence.felica_erase,
            clear=evidence.felica_clear,
            clear_skipped=case.skipped(StageName.FELICA_CLEAR),
            recheck=evidence.felica_recheck,
            answers={answer.gate: answer.approved for answer in case.answers},
            again=evidence.observe.chip,
        )
    )


def _of_final_reset(case: ErasureCase) -> list[str]:
    observe, reset = case.evidence.observe, case.evidence.final_reset
    return [*observe_gaps(observe), *absence_gaps(observe, reset)]


def _of_standing(case: ErasureCase) -> list[str]:
    return standing_gaps(case.evidence.inspect, case.evidence.final_reset)


def _of_binding(case: ErasureCase) -> list[str]:
    return list(case.binding.gaps)


def _of_settled(case: ErasureCase) -> list[str]:
    return waiver_gaps(case.intake)


def _of_confirm(case: ErasureCase) -> list[str]:
    hand = case.intake.hand
    scanned = scanner_gaps(case.answers, None if hand is None else hand.told)
    return [*confirm_gaps(case.answers), *scanned]


def _of_last_look(case: ErasureCase) -> list[str]:
    seen, chip = case.evidence, case.evidence.felica_recheck.chip
    return list(last_look_gaps(seen.observe, seen.confirm, case.answers, chip))


_CHECKS: Final[Sequence[Callable[[ErasureCase], list[str]]]] = (
    _of_gates,
    _of_earlier_jobs,
    _of_initialise,
    _of_freshness,
    _of_storage,
    _of_felica_clear,
    _of_chip,
    _of_final_reset,
    _of_standing,
    _of_binding,
    _of_number,
    _of_settled,
    _of_confirm,
    _of_last_look,
)
