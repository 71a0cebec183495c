"""Stage `confirm`: a second person approves or rejects (第三者確認)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchd.pipelines.contract import JobContext, StageResult
from benchd.pipelines.description import StageDescription
from benchd.proof.evidence.people import ConfirmEvidence, DecisionEvidence
from benchd.words.job import Gate, Reason, StageName


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmStage:
    """The desk refuses anybody who has answered before in this job; the certificate does too."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.CONFIRM,
        destructive=False,
        needs_adb=False,
    )

    async def run(self, context: JobContext) -> StageResult:
        """Ask the second person."""
        decision = await context.approval(Gate.CONFIRM, Reason.NOT_CONFIRMED)
        return StageResult(evidence=ConfirmEvidence(answer=DecisionEvidence.of(decision)))
