"""Stage `confirm`: a second person approves or rejects (別担当者による確認)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from benchd.domain.errors import SecondPersonNeeded, StageFailed
from benchd.domain.imei import imeis_in_text
from benchd.domain.job import Decision, Gate, Reason, StageName
from benchd.domain.people import Actor
from benchd.pipelines.assets import bind_if_sure
from benchd.pipelines.handset_binding import name_by_confirmer
from benchd.pipelines.identity_lookup import refuse_doomed, resolve_identity
from benchd.pipelines.post_reset_inspection import LastLook
from benchd.pipelines.screen_numbers import NumberVetting
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.proof.binding import Known
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.evidence.reset_evidence import ConfirmEvidence
from benchd.proof.identity.sighting import sighting_of
from benchd.proof.separation_of_duties import has_scanned


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmStage:
    """Refuses whoever has answered before in this job or scanned its label; so does the proof.

    Where only people know the handset's number, who confirms reads it from its screen: the two
    readings are two people's.
    """

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.CONFIRM,
        destructive=False,
        needs_access=False,
    )

    async def run(self, context: JobContext) -> StageResult:
        """Ask the second person."""

        async def vet(by: Actor, _note: str, _approved: bool) -> None:  # noqa: FBT001
            bound = context.intake.book.of_job.get(context.job)
            if bound is not None and has_scanned(bound.told, by.person, by.name):
                message = f"{by.name} has scanned its label: a second person has to confirm"
                raise SecondPersonNeeded(message)

        reads = context.certifies and Known.of(context.evidence).by_people
        vetting = NumberVetting(context, Gate.IMEI, needed=reads, also=vet)
        look = LastLook(context)
        decision = await look.while_fresh(
            lambda: context.ask(Gate.CONFIRM, context.handset_facts(), vetting)
        )
        if not decision.approved:
            raise StageFailed(Reason.NOT_CONFIRMED, f"{Gate.CONFIRM} was answered with no")
        if reads:
            name_by_confirmer(context, decision)
        evidence = replace(await self._evidence(context, decision), again=look.again)
        if context.certifies:
            # Only now the number is proven that people read, and another job may have ended since
            # the gates: what is open now would be found after the whole erasure, by the proof.
            refuse_doomed(await resolve_identity(context, at_end=True))
        return StageResult(evidence=evidence)

    async def _evidence(self, context: JobContext, decision: Decision) -> ConfirmEvidence:
        """With all numbers that are proven by now; papers may be found by them."""
        seen = sighting_of(context.job, await context.ledger.entries(context.job))
        proven = seen.proven
        if context.certifies and context.facts is not None:
            context.proven_numbers |= proven
            await bind_if_sure(context)
        known = Known.of(context.evidence).imeis
        read = (*imeis_in_text(decision.note), *sorted(seen.imeis))
        others = [number for number in read if number not in known]
        return ConfirmEvidence(
            answer=DecisionEvidence.of(decision),
            numbers=tuple(sorted(proven)),
            second_number=next(iter(others), None),
        )
