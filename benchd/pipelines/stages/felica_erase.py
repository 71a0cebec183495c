"""Stage `felica_erase`: a person has the handset erase its own chip, before its first reset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from benchd.domain.chip import ChipVerdict
from benchd.domain.clear_provider import CLAIMS, ClearOutcome
from benchd.domain.errors import StageFailed
from benchd.domain.handset import EraseStep
from benchd.domain.job import Gate, Reason, StageName
from benchd.domain.models.model_entry import FelicaErase
from benchd.domain.models.model_guidance import erase_words
from benchd.pipelines.gate_facts import FactsAgain
from benchd.pipelines.gate_waiver import consent_named
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.proof.chip_proof import SKIPPED_FOR
from benchd.proof.evidence.chip_evidence import OwnEraseEvidence
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.stage_order import NO_OWN_ERASE, SKIPPABLE

_BECAUSE: Mapping[object, str] = {verdict: because for because, verdict in SKIPPED_FOR.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class FelicaEraseStage:
    """Asks for it where the catalogue of models says how; whoever can't goes on to `felica_clear`.

    What a person and a handset say is a claim: `felica_recheck` decides about the chip as ever.
    """

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.FELICA_ERASE,
        destructive=True,
        needs_access=True,
        after=(StageName.GATES, StageName.FELICA_CHECK),
        before=(StageName.INITIALISE, StageName.FELICA_CLEAR, StageName.FINAL_RESET),
        skipped_for=SKIPPABLE[StageName.FELICA_ERASE],
    )

    async def run(self, context: JobContext) -> StageResult:
        """Skips whatever has nothing to erase, or no function for it that anybody knows of."""
        check = context.evidence.felica_check
        if check is not None and check.verdict in _BECAUSE:
            return StageResult(skipped_because=_BECAUSE[check.verdict])
        erase = context.models.felica_erase(context.inspected().identity)
        if erase is None:
            return StageResult(skipped_because=NO_OWN_ERASE)
        asked = OwnEraseEvidence(
            claim=ClearOutcome.NEEDS_OPERATOR,
            consent=consent_named(context),
            signed_in=erase.signed_in,
            catalogue_sha256=context.models.sha256,
            answers=(),
        )
        with context.readers.left_alone(context.slot):
            return StageResult(evidence=await _erased(context, erase, asked))


async def _erased(
    context: JobContext, erase: FelicaErase, asked: OwnEraseEvidence
) -> OwnEraseEvidence:
    """Asks until the handset is signed out again, and once more where the chip is still in use."""
    step = EraseStep.FIRST
    while True:
        asked = await _asked(context, erase, asked, step)
        signed_in = await _signed_in(context)
        if asked.claim not in CLAIMS:
            if signed_in is not None:
                raise signed_in
            return asked
        if signed_in is not None:
            step = EraseStep.SIGNED_IN
            continue
        context.seen = asked = await _looked_at(context, asked)
        if asked.seen is not ChipVerdict.IN_USE:
            return asked
        if step is EraseStep.STILL_IN_USE:
            raise StageFailed(
                Reason.FELICA_NOT_ERASED,
                "the handset is said to have erased its chip twice, and the reader still sees"
                " services in it",
            )
        step = EraseStep.STILL_IN_USE


async def _asked(
    context: JobContext, erase: FelicaErase, asked: OwnEraseEvidence, step: EraseStep
) -> OwnEraseEvidence:
    """The same with one more answer, which is on record whatever comes after it."""
    # A field that is on keeps the handset away from its own chip.
    await context.chips.field_off(context.slot)
    facts = {**context.handset_facts(), **erase_words(erase), "erase_step": step}
    decision = await context.ask(Gate.FELICA_ERASE, facts)
    claim = ClearOutcome.DONE if decision.approved else ClearOutcome.UNSUPPORTED
    answers = (*asked.answers, DecisionEvidence.of(decision))
    context.seen = asked = replace(asked, claim=claim, answers=answers, seen=None, chip=None)
    return asked


async def _signed_in(context: JobContext) -> StageFailed | None:
    """Why it can't be reset as it stands: an account that was needed for it is still there.

    Raises StageFailed for whatever else forbids to erase it by now.
    """
    try:
        await FactsAgain(context).read()
    except StageFailed as refusal:
        if refusal.reason is not Reason.LOCKED:
            raise
        return refusal
    return None


async def _looked_at(context: JobContext, asked: OwnEraseEvidence) -> OwnEraseEvidence:
    """What the slot's reader sees of it now; it decides nothing but whether to ask again."""
    check = context.evidence.felica_check
    if check is None or context.chips.reader(context.slot) is None:
        return asked
    scan = await context.chips.scan(context.slot, passes=1, power_cycle=True)
    if scan.chip is not None and scan.chip != check.chip:
        context.seen = replace(asked, seen=scan.verdict, chip=scan.chip)
        raise StageFailed(
            Reason.FELICA_INCONSISTENT,
            f"{scan.verdict}, but this chip isn't the one of the first check",
        )
    return replace(asked, seen=scan.verdict, chip=scan.chip)
