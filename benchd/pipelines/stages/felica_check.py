"""Stage `felica_check`: the state of the chip before anything is changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final

from benchd.domain.chip import ChipScan, ChipVerdict, ModelFelica
from benchd.domain.errors import StageFailed
from benchd.domain.job import Gate, Reason, StageName
from benchd.pipelines.chip_history import tie_unless_anothers
from benchd.pipelines.chip_look import handset_says, in_words, no_chip_by, refusal_of
from benchd.pipelines.chip_tie import look_once_on, tie_to_handset
from benchd.pipelines.gate_waiver import waive_or_ask
from benchd.pipelines.identity_lookup import refuse_over_reader, resolve_identity
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.pipelines.swapped_readers import refuse_misread
from benchd.proof.chip_proof import may_lack_chip
from benchd.proof.evidence.chip_evidence import OPERATOR, CatalogueEvidence, ChipEvidence
from benchd.proof.evidence.intake_evidence import WaivedGate
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.gate_waiver_proof import SPARED_BY

_CONTRADICTED: Final = (
    "its answers name no FeliCa, but the catalogue of models says that it has a FeliCa chip"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FelicaCheckStage:
    """Looks over the air where the slot has a reader, else asks what the handset's screen says."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.FELICA_CHECK,
        destructive=False,
        needs_access=False,
        needed_for=(Reason.ASSESSED, Reason.RECYCLED),
    )

    async def run(self, context: JobContext) -> StageResult:
        """Unused, in use and no chip are answers; what is none ends the job.

        What a chip in use would lose is asked for last, once it's known to be in use.
        """
        context.seen = seen = await self._look(context)
        return StageResult(evidence=await self._with_consent(context, seen))

    async def _with_consent(self, context: JobContext, seen: ChipEvidence) -> ChipEvidence:
        gates = context.evidence.gates
        due = [each for each in (gates.deferred if gates else ()) if each.gate is Gate.CONSENT]
        if not due:
            return seen
        spared = SPARED_BY.get(seen.verdict)
        if spared is not None:
            return replace(seen, settled=WaivedGate(gate=Gate.CONSENT, not_needed=spared))
        found = await waive_or_ask(context, Gate.CONSENT, due[0].limit_s)
        if isinstance(found, WaivedGate):
            return replace(seen, settled=found)
        return replace(seen, consent=found)

    async def _look(self, context: JobContext) -> ChipEvidence:
        if context.chips.reader(context.slot) is None:
            return await self._asked(context)
        scan = await context.chips.scan(context.slot, passes=1, power_cycle=False)
        switched_on = None
        if scan.verdict is ChipVerdict.SILENT:
            scan, switched_on = await look_once_on(context, scan, passes=1)
        context.seen = seen = replace(ChipEvidence.of(scan), switched_on=switched_on)
        match scan.verdict:
            case ChipVerdict.UNUSED | ChipVerdict.IN_USE:
                return await tie_unless_anothers(context, seen, tie_to_handset)
            case ChipVerdict.SILENT:
                return await self._silent(context, scan, seen)
            case _:
                raise refusal_of(scan)

    async def _asked(self, context: JobContext) -> ChipEvidence:
        """Yes is 未利用 (unused), no is 利用中 (in use): both are answers, neither fails here.

        A person's word never overrules a reader's look that is on record of this handset.
        """
        if context.certifies:
            refuse_over_reader(await resolve_identity(context, by_eye=True))
        decision = await context.ask(Gate.FELICA_CHECK, context.handset_facts())
        return ChipEvidence(
            source=OPERATOR,
            verdict=ChipVerdict.UNUSED if decision.approved else ChipVerdict.IN_USE,
            answer=DecisionEvidence.of(decision),
        )

    async def _silent(
        self, context: JobContext, scan: ChipScan, seen: ChipEvidence
    ) -> ChipEvidence:
        """Silence alone means nothing: handset and person have to say that there is no chip.

        The catalogue of models mustn't say otherwise, and no other job that this reader is its own.
        """
        refuse_misread(context)
        capable = context.facts.felica_capable if context.facts else None
        catalogue = _catalogue_says(context)
        says = await handset_says(context)
        context.seen = silent = replace(
            seen, handset_says=says, felica_capable=capable, catalogue=catalogue
        )
        causes = {"causes": ",".join(says.silence_causes), "model_felica": catalogue.felica}
        shown = context.handset_facts() | causes
        if may_lack_chip(felica_capable=capable, model=catalogue.felica):
            decision = await context.approved(Gate.FELICA_NO_CHIP, Reason.FELICA_SILENT, shown)
            return replace(no_chip_by(silent), answer=DecisionEvidence.of(decision))
        decision = await context.ask(Gate.FELICA_RETIRED, shown)
        if decision.approved:
            raise StageFailed(
                Reason.FELICA_RETIRED, "silent over the air, and its own screen says retired"
            )
        contradicted = capable is False and catalogue.felica is ModelFelica.HAS
        because = in_words(says.silence_causes)
        raise refusal_of(scan, f"{because}, {_CONTRADICTED}" if contradicted else because)


def _catalogue_says(context: JobContext) -> CatalogueEvidence:
    """Unknown for a handset that nobody has inspected."""
    models, facts = context.models, context.facts
    felica = models.felica(facts.identity) if facts else ModelFelica.UNKNOWN
    return CatalogueEvidence(felica=felica, sha256=models.sha256)
