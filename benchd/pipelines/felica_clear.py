"""Stage `felica_clear`: has a provider clear the chip; its word is only a claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchd.chip_proof import SKIPPED_FOR
from benchd.errors import StageFailed, TransientFault
from benchd.model import (
    ClearClaim,
    ClearOrder,
    ClearOutcome,
    Evidence,
    Gate,
    Reason,
    StageName,
)
from benchd.pipelines.stage import JobContext, StageResult, decision_evidence

_BECAUSE: Mapping[object, str] = {verdict: because for because, verdict in SKIPPED_FOR.items()}
"""By what the check has found; the re-check looks at it again all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FelicaClearStage:
    """Orders the clear from the provider that fits, or from a person's hand."""

    async def run(self, context: JobContext) -> StageResult:
        """Never says that the chip is clean: only what somebody claims to have done."""
        found = context.evidence.get(StageName.FELICA_CHECK, {}).get("verdict")
        if found in _BECAUSE:
            return StageResult(skipped_because=_BECAUSE[found])
        order = ClearOrder(
            job=context.job,
            slot=context.slot,
            identity=context.inspected().identity,
            consent=_consent(context),
        )
        claim = await context.chips.clear(order)
        context.seen = {**claim.as_evidence(), "consent": order.consent}
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
        """A person clears it, and says so."""
        decision = await context.approval(Gate.FELICA_CLEAR, Reason.FELICA_NOT_CLEARABLE)
        done = replace(claim, provider="operator", outcome=ClearOutcome.DONE)
        return {
            **done.as_evidence(),
            "asked_by": claim.provider,
            "answer": decision_evidence(decision),
        }


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
