"""Stage `felica_clear`: has a provider clear the chip; its word is only a claim."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.model import Gate, Reason, StageName
from benchd.pipelines.stage import JobContext, StageResult, decision_evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class FelicaClearStage:
    """The operator's provider: cleared by hand, at the carrier's kiosk for example."""

    async def run(self, context: JobContext) -> StageResult:
        """Nothing to do for a chip found unused; the re-check looks at it again all the same."""
        found = context.evidence.get(StageName.FELICA_CHECK, {})
        if found.get("verdict") == "unused":
            return StageResult(skipped_because="chip_unused")
        decision = await context.approval(Gate.FELICA_CLEAR, Reason.FELICA_NOT_CLEARABLE)
        return StageResult(
            evidence={
                "provider": "operator",
                "claim": "done",
                "answer": decision_evidence(decision),
            }
        )
