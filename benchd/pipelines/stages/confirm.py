"""Stage `confirm`: a second person approves or rejects (別担当者による確認)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchd.errors import SecondPersonNeeded, StageFailed
from benchd.pipelines.contract import JobContext, StageResult
from benchd.pipelines.description import StageDescription
from benchd.pipelines.last_look import LastLook
from benchd.proof.evidence.confirm import ConfirmEvidence
from benchd.proof.evidence.people import DecisionEvidence
from benchd.proof.people import has_scanned
from benchd.words.job import Gate, Reason, StageName
from benchd.words.people import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmStage:
    """Refuses whoever has answered before in this job or scanned its label; so does the proof."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.CONFIRM,
        destructive=False,
        needs_adb=False,
    )

    async def run(self, context: JobContext) -> StageResult:
        """Ask the second person."""

        async def vet(by: Actor, _note: str) -> None:
            bound = context.intake.book.of_job.get(context.job)
            if bound is not None and has_scanned(bound.told, by.person, by.name):
                message = f"{by.name} has scanned its label: a second person has to confirm"
                raise SecondPersonNeeded(message)

        look = LastLook(context)
        decision = await look.while_fresh(
            lambda: context.ask(Gate.CONFIRM, context.handset_facts(), vet)
        )
        if not decision.approved:
            raise StageFailed(Reason.NOT_CONFIRMED, f"{Gate.CONFIRM} was answered with no")
        return StageResult(
            evidence=ConfirmEvidence(answer=DecisionEvidence.of(decision), again=look.again)
        )
