"""Stage `inspect`: who this handset is and what state it came in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchd.domain.job import Reason, StageName
from benchd.pipelines.assets import bind_if_sure
from benchd.pipelines.identity_lookup import earlier_end, handsets_of
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectStage:
    """Reads all that the gates and the certificate need."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.INSPECT,
        destructive=False,
        needs_access=True,
        needed_for=(Reason.ASSESSED, Reason.RECYCLED),
    )

    async def run(self, context: JobContext) -> StageResult:
        """Read the facts and show who is in the slot."""
        facts = await context.handset.inspect()
        context.facts = facts
        context.station.show_identity(facts)
        context.station.show_earlier(earlier_end(await handsets_of(context, inspected=facts)))
        await bind_if_sure(context)
        return StageResult(evidence=facts)
