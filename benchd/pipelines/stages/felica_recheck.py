"""Stage `felica_recheck`: decides about the chip, whoever cleared it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from benchd.domain.chip import ChipScan, ChipVerdict
from benchd.domain.errors import StageFailed
from benchd.domain.job import Gate, Reason, StageName
from benchd.pipelines.chip_history import refuse_chip_of_another
from benchd.pipelines.chip_look import handset_says, in_words, no_chip_by, refusal_of
from benchd.pipelines.chip_tie import look_once_on
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.pipelines.swapped_readers import refuse_misread
from benchd.proof.chip_proof import SEEN_BASELINES
from benchd.proof.evidence.chip_evidence import OPERATOR, ChipEvidence
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.floors import LEAST_PASSES


@dataclass(frozen=True, slots=True, kw_only=True)
class FelicaRecheckStage:
    """Scans twice after a power cycle, or asks again what the handset's own screen says."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.FELICA_RECHECK,
        destructive=False,
        needs_access=False,
        needed_for=(Reason.RECHECKED, Reason.RECYCLED),
    )

    async def run(self, context: JobContext) -> StageResult:
        """The same chip as at the check, and nothing left in it; anything else ends the job."""
        if context.chips.reader(context.slot) is None:
            return StageResult(evidence=await self._asked(context))
        scan = await context.chips.scan(context.slot, passes=LEAST_PASSES, power_cycle=True)
        check = context.evidence.felica_check
        none_expected = check is not None and check.verdict is ChipVerdict.NO_CHIP
        switched_on = None
        if scan.verdict is ChipVerdict.SILENT and not none_expected:
            scan, switched_on = await look_once_on(context, scan, passes=LEAST_PASSES)
        context.seen = seen = replace(ChipEvidence.of(scan), switched_on=switched_on)
        if scan.chip is not None and check is not None and scan.chip != check.chip:
            raise StageFailed(
                Reason.FELICA_INCONSISTENT,
                f"{scan.verdict}, but this chip isn't the one of the first check",
            )
        refuse_misread(context)
        match scan.verdict:
            case ChipVerdict.UNUSED:
                return StageResult(evidence=await self._unused(context, scan, seen))
            case ChipVerdict.SILENT if none_expected:
                return StageResult(evidence=no_chip_by(seen))
            case ChipVerdict.SILENT:
                says = await handset_says(context)
                context.seen = replace(seen, handset_says=says)
                raise refusal_of(scan, in_words(says.silence_causes))
            case _:
                raise refusal_of(scan)

    async def _asked(self, context: JobContext) -> ChipEvidence:
        """Anything but 未利用 (unused) is residue."""
        decision = await context.approval(Gate.FELICA_RECHECK, Reason.FELICA_RESIDUE)
        return ChipEvidence(
            source=OPERATOR, verdict=ChipVerdict.UNUSED, answer=DecisionEvidence.of(decision)
        )

    async def _unused(
        self, context: JobContext, scan: ChipScan, seen: ChipEvidence
    ) -> ChipEvidence:
        """Where nobody has seen an unused chip of this kind yet, the screen has to say it too."""
        if scan.chip is None or not scan.baseline:
            raise StageFailed(
                Reason.FELICA_UNREADABLE, "the scan doesn't say which chip it was, or unlike what"
            )
        # Another slot may have looked at it at the same moment as the check did.
        await refuse_chip_of_another(context, scan.chip)
        if scan.baseline_kind in SEEN_BASELINES:
            return seen
        decision = await context.approval(Gate.FELICA_ATTEST, Reason.FELICA_NOT_ATTESTED)
        return replace(seen, answer=DecisionEvidence.of(decision))
