"""Stage `felica_recheck`: decides about the chip, whoever cleared it."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.model import Gate, Reason
from benchd.pipelines.stage import JobContext, StageResult, decision_evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class FelicaRecheckStage:
    """Asks again what the handset's own screen says."""

    async def run(self, context: JobContext) -> StageResult:
        """Anything but 未利用 (unused) is residue."""
        decision = await context.approval(Gate.FELICA_RECHECK, Reason.FELICA_RESIDUE)
        return StageResult(
            evidence={
                "source": "operator",
                "verdict": "unused",
                "answer": decision_evidence(decision),
            }
        )
