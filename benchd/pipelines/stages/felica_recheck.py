"""Stage `felica_recheck`: decides about the chip, whoever cleared it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchd.errors import StageFailed
from benchd.pipelines.chip_evidence import of_no_chip, of_scan, refusal_of
from benchd.pipelines.contract import JobContext, StageResult, decision_evidence
from benchd.pipelines.description import StageDescription
from benchd.pipelines.silence import causes_of_silence, in_words
from benchd.proof.chip import SEEN_BASELINES
from benchd.proof.floors import LEAST_PASSES
from benchd.words.chip import ChipScan, ChipVerdict
from benchd.words.ids import Evidence
from benchd.words.job import Gate, Reason, StageName


@dataclass(frozen=True, slots=True, kw_only=True)
class FelicaRecheckStage:
    """Scans twice after a power cycle, or asks again what the handset's own screen says."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.FELICA_RECHECK,
        destructive=False,
        needs_adb=False,
        needed_for=(Reason.RECHECKED, Reason.RECYCLED),
    )

    async def run(self, context: JobContext) -> StageResult:
        """The same chip as at the check, and nothing left in it; anything else ends the job."""
        if context.chips.reader(context.slot) is None:
            return StageResult(evidence=await self._asked(context))
        scan = await context.chips.scan(context.slot, passes=LEAST_PASSES, power_cycle=True)
        context.seen = of_scan(scan)
        check = context.evidence.get(StageName.FELICA_CHECK)
        if scan.chip is not None and check is not None and scan.chip != check.get("chip"):
            raise StageFailed(
                Reason.FELICA_INCONSISTENT,
                f"{scan.verdict}, but this chip isn't the one of the first check",
            )
        if scan.verdict is ChipVerdict.UNUSED:
            return StageResult(evidence=await self._unused(context, scan))
        silent = scan.verdict is ChipVerdict.SILENT
        if silent and check is not None and check.get("verdict") == ChipVerdict.NO_CHIP:
            return StageResult(evidence=of_no_chip(scan))
        raise refusal_of(scan, in_words(await causes_of_silence(context)) if silent else "")

    async def _asked(self, context: JobContext) -> Evidence:
        """Anything but 未利用 (unused) is residue."""
        decision = await context.approval(Gate.FELICA_RECHECK, Reason.FELICA_RESIDUE)
        return {
            "source": "operator",
            "verdict": ChipVerdict.UNUSED,
            "answer": decision_evidence(decision),
        }

    async def _unused(self, context: JobContext, scan: ChipScan) -> Evidence:
        """Where nobody has seen an unused chip of this kind yet, the screen has to say it too."""
        if scan.chip is None or not scan.baseline:
            raise StageFailed(
                Reason.FELICA_UNREADABLE, "the scan doesn't say which chip it was, or unlike what"
            )
        if scan.baseline_kind in SEEN_BASELINES:
            return of_scan(scan)
        decision = await context.approval(Gate.FELICA_ATTEST, Reason.FELICA_NOT_ATTESTED)
        return of_scan(scan) | {"answer": decision_evidence(decision)}
