"""Stage `confirm`: a second person approves or rejects (第三者確認)."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.pipelines.contract import JobContext, StageResult
from benchd.proof.evidence.people import ConfirmEvidence, DecisionEvidence
from benchd.words.job import Gate, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmStage:
    """The desk refuses anybody who has answered before in this job; the certificate does too."""

    async def run(self, context: JobContext) -> StageResult:
        """Ask the second person."""
        decision = await context.approval(Gate.CONFIRM, Reason.NOT_CONFIRMED)
        return StageResult(evidence=ConfirmEvidence(answer=DecisionEvidence.of(decision)))
