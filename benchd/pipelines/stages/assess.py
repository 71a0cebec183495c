"""Stage `assess`: what the seller has to hear before the deal. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchd.domain.chip import ChipVerdict
from benchd.domain.handset import HandsetFacts
from benchd.domain.job import Finding, Gate, Reason, StageName
from benchd.domain.models.model_guidance import erase_words
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.handset_refusals import refusals

_OF_REASON = {
    Reason.SYSTEM_MODIFIED: Finding.SYSTEM_MODIFIED,
    Reason.SYSTEM_SUSPECT: Finding.SYSTEM_SUSPECT,
    Reason.MANAGED_DEVICE: Finding.MANAGED_DEVICE,
    Reason.LOCKED: Finding.LOCK_OR_ACCOUNT,
    Reason.OTHER_USER: Finding.OTHER_USER,
    Reason.REMOVABLE_MEDIA: Finding.REMOVABLE_MEDIA,
    Reason.SIM_PRESENT: Finding.SIM,
}
_NOT_OVERWRITABLE = {Finding.SYSTEM_MODIFIED, Finding.SYSTEM_SUSPECT}
_EMPTY_CHIP = (ChipVerdict.UNUSED, ChipVerdict.NO_CHIP)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessEvidence:
    """What the seller was told."""

    findings: tuple[Finding, ...]
    chip: ChipVerdict | None
    overwritable: bool
    answer: DecisionEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessStage:
    """Gathers everything at once: the seller is there only now.

    A handset that benchd can't overwrite at all never comes so far: its job has ended as
    unsupported.
    """

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.ASSESS,
        destructive=False,
        needs_access=True,
        after=(StageName.INSPECT, StageName.FELICA_CHECK),
        needed_for=(Reason.ASSESSED,),
    )

    async def run(self, context: JobContext) -> StageResult:
        """Have the seller told; that they were is on record with a name."""
        found = self.findings(context.inspected(), self._chip(context))
        erase = context.models.felica_erase(context.inspected().identity)
        if erase is not None and Finding.CHIP_IN_USE in found:
            found = (*found, Finding.CHIP_ERASABLE)
        told = erase_words(erase) if Finding.CHIP_ERASABLE in found else {}
        facts = {**context.handset_facts(), **told, "findings": ",".join(found)}
        decision = await context.approved(Gate.ASSESS, Reason.OPERATOR_STOPPED, facts)
        return StageResult(
            evidence=AssessEvidence(
                findings=found,
                chip=self._chip(context),
                overwritable=_NOT_OVERWRITABLE.isdisjoint(found),
                answer=DecisionEvidence.of(decision),
            )
        )

    def _chip(self, context: JobContext) -> ChipVerdict | None:
        check = context.evidence.felica_check
        return None if check is None else check.verdict

    def findings(self, facts: HandsetFacts, chip: ChipVerdict | None) -> tuple[Finding, ...]:
        """Everything that stands in the way, or that only the owner can do."""
        found = [_OF_REASON[reason] for reason, _ in refusals(facts)]
        if facts.lock_admins:
            found.append(Finding.LOCK_ADMIN)
        if chip == ChipVerdict.IN_USE:
            found.append(Finding.CHIP_IN_USE)
        elif chip not in _EMPTY_CHIP:
            found.append(Finding.CHIP_UNKNOWN)
        # Nobody can see whether there is a certificate: a handset that can hold one may have it.
        if facts.jpki_capable is not False:
            found.append(Finding.JPKI)
        return tuple(found)
