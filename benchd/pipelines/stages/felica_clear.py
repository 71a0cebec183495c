"""Stage `felica_clear`: has a provider clear the chip; its word is only a claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from benchd.errors import StageFailed, TransientFault
from benchd.pipelines.contract import JobContext, StageResult, decision_evidence
from benchd.pipelines.description import StageDescription
from benchd.pipelines.parameters import Patience
from benchd.proof.chip import SKIPPED_FOR
from benchd.proof.erasure import SKIPPABLE
from benchd.words.clear import ClearClaim, ClearOrder, ClearOutcome
from benchd.words.ids import Evidence
from benchd.words.job import Gate, Reason, StageName

_BECAUSE: Mapping[object, str] = {verdict: because for because, verdict in SKIPPED_FOR.items()}
"""By what the check has found; the re-check looks at it again all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FelicaClearStage:
    """Orders the clear from the provider that fits, or from a person's hand."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.FELICA_CLEAR,
        destructive=True,
        needs_adb=True,
        after=(StageName.GATES,),
        skipped_for=SKIPPABLE[StageName.FELICA_CLEAR],
        needed_for=(Reason.RECYCLED,),
    )

    return_within_s: Patience = 1800
    """How long after the operator's yes a handset may still be on its way back from a kiosk."""

    async def run(self, context: JobContext) -> StageResult:
        """Never says that the chip is clean: only what somebody claims to have done."""
        found = context.evidence.get(StageName.FELICA_CHECK, {}).get("verdict")
        if found in _BECAUSE:
            return StageResult(skipped_because=_BECAUSE[found])
        same = await _same_handset(context)
        order = ClearOrder(
            job=context.job,
            slot=context.slot,
            identity=context.inspected().identity,
            consent=_consent(context),
        )
        claim = await context.chips.clear(order)
        context.seen = {**claim.as_evidence(), **same, "consent": order.consent}
        said = f"{claim.provider or 'no provider'}: {claim.outcome}: {claim.detail}"
        match claim.outcome:
            case ClearOutcome.DONE | ClearOutcome.ALREADY_INITIAL:
                return StageResult(evidence=context.seen)
            case ClearOutcome.NEEDS_OPERATOR:
                by_hand = await self._by_hand(context, claim)
                return StageResult(evidence={**by_hand, "consent": order.consent})
            case ClearOutcome.RETRYABLE:
                raise TransientFault(said)
            case ClearOutcome.UNSUPPORTED | ClearOutcome.FATAL:
                raise StageFailed(Reason.FELICA_NOT_CLEARABLE, said)

    async def _by_hand(self, context: JobContext, claim: ClearClaim) -> Evidence:
        """A person clears it, and says so; the handset may leave its slot for that."""
        async with context.station.planned_absence() as window:
            decision = await context.approval(Gate.FELICA_CLEAR, Reason.FELICA_NOT_CLEARABLE)
            absence = await window.absence(leave_within_s=0, return_within_s=self.return_within_s)
            if absence.left and not absence.returned:
                raise StageFailed(
                    Reason.HANDSET_NOT_RETURNED, f"not back within {self.return_within_s:.0f} s"
                )
        if absence.left:
            context.handset = await context.station.reopen(self.return_within_s)
        same = await _same_handset(context)
        done = replace(claim, provider="operator", outcome=ClearOutcome.DONE)
        return {
            **done.as_evidence(),
            **same,
            "asked_by": claim.provider,
            "answer": decision_evidence(decision),
            "absent_s": absence.absent_s,
        }


async def _same_handset(context: JobContext) -> Evidence:
    """The id that Android drew at the last reset, the same as when this handset was reset here.

    What a handset says it is isn't enough: identical serials exist, and the overwrite can't be
    proven again. A second attempt asks too, since the first may have ended with a handset back
    in the slot that nobody had looked at yet.
    """
    if StageName.INITIALISE not in context.evidence:
        return {}  # such a recipe proves nothing of the handset's storage, and certifies nothing
    reset = context.evidence[StageName.INITIALISE]
    facts = reset.get("after") or reset.get("before")
    known = facts.get("android_id") if isinstance(facts, Mapping) else None
    now = (await context.handset.reset_facts()).android_id
    if not now or now != known:
        raise StageFailed(
            Reason.HANDSET_CHANGED, "its android_id isn't the one of the handset overwritten here"
        )
    return {"android_id": now}


def _consent(context: JobContext) -> str:
    """Who has put on record that the owner agreed to lose what the chip holds."""
    answers = context.evidence.get(StageName.GATES, {}).get("answers")
    for answer in answers if isinstance(answers, Sequence) else ():
        if (
            isinstance(answer, Mapping)
            and answer.get("gate") == Gate.CONSENT
            and answer.get("approved") is True
        ):
            return str(answer.get("operator"))
    raise StageFailed(
        Reason.CONSENT_MISSING, "nobody has put on record that the chip's balance may be lost"
    )
