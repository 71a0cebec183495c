"""Stage `felica_clear`: has a provider clear the chip; its word is only a claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from benchd.domain.chip import ChipVerdict
from benchd.domain.clear_provider import CLAIMS, ClearOrder, ClearOutcome
from benchd.domain.errors import StageFailed, TransientFault
from benchd.domain.job import Gate, Reason, StageName
from benchd.domain.slot import Away
from benchd.pipelines.gate_waiver import consent_named
from benchd.pipelines.parameters import Patience
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.pipelines.stray_chip_check import LooksWhileAway
from benchd.proof.chip_proof import SKIPPED_FOR
from benchd.proof.evidence.chip_evidence import (
    HANDSET,
    OPERATOR,
    ClearEvidence,
    OwnEraseEvidence,
)
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.stage_order import SKIPPABLE

_BECAUSE: Mapping[object, str] = {verdict: because for because, verdict in SKIPPED_FOR.items()}
"""By what the check has found; the re-check looks at it again all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FelicaClearStage:
    """Orders the clear from the provider that fits, or from a person's hand."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.FELICA_CLEAR,
        destructive=True,
        needs_access=True,
        after=(StageName.GATES,),
        skipped_for=SKIPPABLE[StageName.FELICA_CLEAR],
        needed_for=(Reason.RECYCLED,),
    )

    return_within_s: Patience = 1800
    """How long after the operator's yes a handset may still be on its way back from a kiosk."""

    async def run(self, context: JobContext) -> StageResult:
        """Never says that the chip is clean: only what somebody claims to have done."""
        check = context.evidence.felica_check
        if check is not None and check.verdict in _BECAUSE:
            return StageResult(skipped_because=_BECAUSE[check.verdict])
        with context.readers.left_alone(context.slot):
            return await self._cleared(context)

    async def _cleared(self, context: JobContext) -> StageResult:
        android_id = await _same_handset(context)
        own = context.evidence.felica_erase
        if own is not None and own.claim in CLAIMS and not await _is_in_use(context):
            return StageResult(evidence=_by_itself(own, android_id))
        order = ClearOrder(
            job=context.job,
            slot=context.slot,
            identity=context.inspected().identity,
            consent=consent_named(context),
        )
        seen = await _claim(context, order, android_id)
        if seen.claim in CLAIMS and await _is_in_use(context):
            # It cleared another card that lay there: no honest handset is crushed for that.
            seen = await _claim(context, order, android_id)
            context.seen = seen = replace(seen, detail=f"{seen.detail}; for the second time")
        said = f"{seen.provider or 'no provider'}: {seen.claim}: {seen.detail}"
        match seen.claim:
            case ClearOutcome.DONE | ClearOutcome.ALREADY_INITIAL:
                return StageResult(evidence=seen)
            case ClearOutcome.NEEDS_OPERATOR:
                return StageResult(evidence=await self._by_hand(context, seen))
            case ClearOutcome.RETRYABLE:
                raise TransientFault(said)
            case ClearOutcome.UNSUPPORTED | ClearOutcome.FATAL:
                raise StageFailed(Reason.FELICA_NOT_CLEARABLE, said)

    async def _by_hand(self, context: JobContext, asked: ClearEvidence) -> ClearEvidence:
        """A person clears it, and says so; the handset may leave its slot for that."""
        away = LooksWhileAway(context)
        async with context.station.planned_absence() as window:
            async with away.watching(window):
                decision = await context.approval(Gate.FELICA_CLEAR, Reason.FELICA_NOT_CLEARABLE)
                absence = await window.absence(
                    leave_within_s=0, return_within_s=self.return_within_s, why=Away.IN_HAND
                )
            if absence.left and not absence.returned:
                raise StageFailed(
                    Reason.HANDSET_NOT_RETURNED, f"not back within {self.return_within_s:.0f} s"
                )
        context.seen = asked = replace(asked, away=away.evidence)
        away.refuse_another()
        if absence.left:
            context.device = await context.station.reopen(self.return_within_s)
        return replace(
            asked,
            provider=OPERATOR,
            claim=ClearOutcome.DONE,
            android_id=await _same_handset(context),
            asked_by=asked.provider,
            answer=DecisionEvidence.of(decision),
            absent_s=absence.absent_s,
        )


def _by_itself(own: OwnEraseEvidence, android_id: str | None) -> ClearEvidence:
    """What the handset is said to have done before its first reset, where nothing belies it."""
    return ClearEvidence(
        provider=HANDSET,
        claim=own.claim,
        detail="the handset erased its own chip before its first reset",
        report=None,
        vendor_code=None,
        elapsed_s=0.0,
        consent=own.consent,
        android_id=android_id,
        answer=own.answers[-1],
    )


async def _claim(context: JobContext, order: ClearOrder, android_id: str | None) -> ClearEvidence:
    """What the provider says that it has done, which is on record whatever comes after it."""
    context.refuse_withdrawn()
    claim = await context.chips.clear(order)
    context.seen = seen = ClearEvidence.of(claim, consent=order.consent, android_id=android_id)
    return seen


async def _is_in_use(context: JobContext) -> bool:
    """Whether the reader sees this very chip, and that something is left in it."""
    check = context.evidence.felica_check
    if check is None or context.chips.reader(context.slot) is None:
        return False
    scan = await context.chips.scan(context.slot, passes=1, power_cycle=True)
    return scan.verdict is ChipVerdict.IN_USE and scan.chip == check.chip


async def _same_handset(context: JobContext) -> str | None:
    """The id that Android drew at the last reset, the same as when this handset was reset here.

    What a handset says it is isn't enough: identical serials exist, and the overwrite can't be
    proven again. A second attempt asks too, since the first may have ended with a handset back
    in the slot that nobody had looked at yet.
    """
    reset = context.evidence.initialise
    if reset is None:
        return None  # such a recipe proves nothing of the storage, and certifies nothing
    known = reset.left.android_id
    now = (await context.handset.reset_facts()).android_id
    if not now or now != known:
        raise StageFailed(
            Reason.HANDSET_CHANGED, "its android_id isn't the one of the handset overwritten here"
        )
    return now
