"""Stage `look`: whether a handset is still as its reset left it. Touches nothing, needs no adb."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchd.domain.errors import StageFailed
from benchd.domain.handset import offers_adb
from benchd.domain.job import Gate, Reason, StageName
from benchd.domain.port import Attached
from benchd.pipelines.other_racks import ask_before_sale
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.proof.evidence.people_evidence import DecisionEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class LookEvidence:
    """What USB showed, and what a person saw."""

    kinds: tuple[str, ...] = ("usb_interfaces", "operator_welcome")
    interfaces: tuple[str, ...]
    usb_serial: str | None
    vendor_id: str | None
    product_id: str | None
    answer: DecisionEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class LookStage:
    """Needs both: what USB shows and what a person sees. Neither proves an erasure."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.LOOK,
        destructive=False,
        needs_access=False,
        needed_for=(Reason.RECHECKED,),
    )

    async def run(self, context: JobContext) -> StageResult:
        """A handset fresh from its reset offers no adb; debugging has to be switched on by hand."""
        self._refuse_adb(context)
        decision = await context.approval(Gate.LOOK, Reason.NOT_AS_RESET)
        await ask_before_sale(context)
        # While somebody looked, the port may have told of more interfaces.
        port = self._refuse_adb(context)
        return StageResult(
            evidence=LookEvidence(
                interfaces=tuple(sorted(port.interfaces)),
                usb_serial=port.usb_serial,
                vendor_id=port.vendor_id,
                product_id=port.product_id,
                answer=DecisionEvidence.of(decision),
            )
        )

    def _refuse_adb(self, context: JobContext) -> Attached:
        port = context.station.port()
        if offers_adb(port):
            raise StageFailed(Reason.NOT_AS_RESET, "adb is on, which a reset switches off")
        return port
