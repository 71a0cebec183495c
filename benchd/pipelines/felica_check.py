"""Stage `felica_check`: the state of the chip before anything is changed."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.model import Gate
from benchd.pipelines.stage import JobContext, StageResult, decision_evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class FelicaCheckStage:
    """Asks the operator what the handset's own screen says (メモリ使用状況)."""

    async def run(self, context: JobContext) -> StageResult:
        """Yes is 未利用 (unused), no is 利用中 (in use): both are answers, neither fails here."""
        decision = await context.bench.ask(Gate.FELICA_CHECK, context.handset_facts())
        return StageResult(
            evidence={
                "source": "operator",
                "verdict": "unused" if decision.approved else "in_use",
                "answer": decision_evidence(decision),
            }
        )
