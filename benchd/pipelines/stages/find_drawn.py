"""Stage `find_drawn`: finds the drawn job that a handset is of, by a person who rechecks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Interval

from benchd.domain.errors import DecisionRefused, StageFailed
from benchd.domain.job import Gate, Reason, StageName
from benchd.domain.people import Actor
from benchd.pipelines.drawn_job import bind_as_drawn, find_drawn_job, refuse_late, vet
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.evidence.recheck_evidence import FindDrawnEvidence
from benchd.proof.floors import MOST_DAYS_TO_RECHECK


@dataclass(frozen=True, slots=True, kw_only=True)
class FindDrawnStage:
    """One answer names the handset and says what its screen shows; a no is weighed afterwards.

    An answer by somebody who has touched it before isn't taken, nor one for another handset.
    """

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.FIND_DRAWN,
        destructive=False,
        needs_access=False,
    )

    within_days: Annotated[int, Interval(ge=1, le=MOST_DAYS_TO_RECHECK)] = MOST_DAYS_TO_RECHECK
    """How many days after its draw a handset may be rechecked."""

    async def run(self, context: JobContext) -> StageResult:
        """From this record on the drawn job's handset is with this one."""

        async def vetted(by: Actor, note: str, _approved: bool) -> None:  # noqa: FBT001
            await vet(context, by, note)
            await refuse_late(context, note, self.within_days)

        decision = await context.ask(Gate.RECHECK, context.handset_facts(), vetted)
        try:
            drawn = await find_drawn_job(context, decision.note)
            await bind_as_drawn(context, drawn)
        except DecisionRefused as refused:
            # While the answer was being kept another slot may have begun with it, or a label come.
            raise StageFailed(Reason.PROOF_INCOMPLETE, str(refused)) from refused
        port = context.station.port()
        return StageResult(
            evidence=FindDrawnEvidence(
                drawn_job=drawn.job,
                screen_number=drawn.number,
                answer=DecisionEvidence.of(decision),
                interfaces=tuple(sorted(port.interfaces)),
                usb_serial=port.usb_serial,
                vendor_id=port.vendor_id,
                product_id=port.product_id,
            )
        )
