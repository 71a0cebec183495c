"""Stage `final_reset`: the plain reset that readies the handset for sale, by an operator's hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchd.domain.errors import StageFailed
from benchd.domain.job import Decision, Gate, Reason, StageName
from benchd.domain.port import Attached
from benchd.domain.screen import Page
from benchd.pipelines.gate_facts import FactsAgain, wait_for_sim_out
from benchd.pipelines.parameters import Patience
from benchd.pipelines.ports import AbsenceWindow
from benchd.pipelines.screen_requests import open_page
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.pipelines.stage_waits import ask_until
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.evidence.reset_evidence import FinalResetEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalResetStage:
    """Guides the operator and watches the port; no route over adb ends in a plain reset.

    What the gates refuse by is read again before, and for as long as the handset stays in its port:
    after this reset nobody can read it any more.
    """

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.FINAL_RESET,
        destructive=True,
        needs_access=True,
    )

    leave_within_s: Patience = 600
    return_within_s: Patience = 1800

    async def run(self, context: JobContext) -> StageResult:
        """A SIM is waited for with no question open, since the handset may restart without it."""
        while (result := await self._reset(context)) is None:
            await context.while_it_stands(lambda: wait_for_sim_out(context))
        return result

    async def _reset(self, context: JobContext) -> StageResult | None:
        """None where a SIM has to be taken out first.

        The window is open from the question on: who has begun the reset needn't say so too.
        """
        again = FactsAgain(context)
        await again.read()
        if again.sim:
            return None
        async with context.station.planned_absence() as window:
            opened = await open_page(context, Page.RESET)
            decision = await _begun(context, window, again)
            absence = None
            if again.may_go_on:
                absence = await ask_until(
                    lambda: window.absence(
                        leave_within_s=self.leave_within_s, return_within_s=self.return_within_s
                    ),
                    lambda: again.until_refused(window),
                )
            if again.refusal is not None:
                raise again.refusal
            if absence is None:
                return None
            if not absence.left:
                raise StageFailed(
                    Reason.FINAL_RESET_NOT_PROVEN,
                    "the handset never left its port, so it wasn't reset",
                )
            if not absence.returned:
                raise StageFailed(
                    Reason.HANDSET_NOT_RETURNED, f"not back within {self.return_within_s:.0f} s"
                )
        after = absence.after or absence.before
        if not _may_be_same(absence.before, after):
            raise StageFailed(
                Reason.HANDSET_CHANGED, "another handset came back: USB serial or vendor differ"
            )
        return StageResult(
            evidence=FinalResetEvidence(
                method="guided",
                answer=None if decision is None else DecisionEvidence.of(decision),
                absent_s=absence.absent_s,
                interfaces_before=tuple(sorted(absence.before.interfaces)),
                interfaces_after=tuple(sorted(after.interfaces)),
                attachment_before=absence.before.attachment,
                attachment_after=after.attachment,
                page=opened,
                facts_again=again.evidence(),
            )
        )


async def _begun(context: JobContext, window: AbsenceWindow, again: FactsAgain) -> Decision | None:
    """Ask for the reset until somebody says that it has begun, or until the port shows it.

    What the handset left for is weighed afterwards; a no that comes in between still counts.
    """
    facts = context.reset_facts()
    decision = await context.ask_until(Gate.FINAL_RESET, facts, lambda: again.until_gone(window))
    if decision is not None and not decision.approved:
        raise StageFailed(Reason.OPERATOR_STOPPED, f"{Gate.FINAL_RESET} was answered with no")
    return decision


def _may_be_same(before: Attached, after: Attached) -> bool:
    """What USB tells after a reset: the serial stays if it's told at all, the vendor always."""
    reported_serials = {serial for serial in (before.usb_serial, after.usb_serial) if serial}
    return len(reported_serials) <= 1 and before.vendor_id == after.vendor_id
