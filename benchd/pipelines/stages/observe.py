"""Stage `observe`: which kinds of evidence there are that the final reset took place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Interval

from benchd.domain.errors import StageFailed
from benchd.domain.handset import ADB_INTERFACE, Tray
from benchd.domain.job import Gate, Reason, StageName
from benchd.pipelines.handset_binding import tie_and_name_by_screen
from benchd.pipelines.parameters import LONGEST_S
from benchd.pipelines.post_reset_inspection import look_at_chip_again
from benchd.pipelines.screen_numbers import NumberVetting
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.evidence.reset_evidence import FinalResetEvidence, ObserveEvidence
from benchd.proof.floors import MINIMUM_ABSENCE_S


def tray_of(reset: FinalResetEvidence | None) -> Tray:
    """Whether somebody has to look into the SIM tray: only where the handset didn't tell."""
    again = None if reset is None else reset.facts_again
    return Tray.TOLD_EMPTY if again is not None and again.sim is False else Tray.NOT_TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveStage:
    """Needs the port's evidence and a person's eyes; that adb is gone is no evidence by itself."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.OBSERVE,
        destructive=False,
        needs_access=True,
        after=(StageName.FINAL_RESET,),
    )

    minimum_absence_s: Annotated[float, Interval(ge=MINIMUM_ABSENCE_S, le=LONGEST_S)] = (
        MINIMUM_ABSENCE_S
    )
    """A real reset takes the handset off its port for at least this long."""

    async def run(self, context: JobContext) -> StageResult:
        """Weigh what the port showed, then ask who stands before the handset."""
        reset = context.evidence.final_reset
        kinds = self.kinds_of(reset)
        if not kinds:
            raise StageFailed(
                Reason.FINAL_RESET_NOT_PROVEN,
                "the port showed no reset: the absence was too short or adb is still on",
            )
        decision = await context.approved(
            Gate.OBSERVE,
            Reason.FINAL_RESET_NOT_PROVEN,
            {**context.handset_facts(), "tray": tray_of(reset)},
            NumberVetting(context, Gate.IMEI, needed=False),
        )
        chip = await look_at_chip_again(context)
        await tie_and_name_by_screen(context, decision.note)
        return StageResult(
            evidence=ObserveEvidence(
                kinds=(*kinds, "operator_welcome"),
                absent_s=reset.absent_s if reset else None,
                minimum_absence_s=self.minimum_absence_s,
                interfaces_after=reset.interfaces_after if reset else (),
                answer=DecisionEvidence.of(decision),
                chip=chip,
            )
        )

    def kinds_of(self, reset: FinalResetEvidence | None) -> list[str]:
        """`usb_reenumerated` if it left for long enough and came back on its port without adb."""
        if reset is None or reset.absent_s is None:
            return []
        long_enough = reset.absent_s >= self.minimum_absence_s
        adb_is_off = ADB_INTERFACE not in reset.interfaces_after
        return ["usb_reenumerated"] if long_enough and adb_is_off else []
