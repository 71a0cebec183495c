"""Stage `recheck`: whether a drawn handset is still as its reset left it, by another's eyes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchd.domain.chip import ChipScan, ChipVerdict
from benchd.domain.errors import RecheckRefused, SecondPersonNeeded, StageFailed
from benchd.domain.handset import offers_adb
from benchd.domain.ids import JobId
from benchd.domain.imei import is_imei
from benchd.domain.job import Gate, Reason, StageName
from benchd.domain.people import Actor
from benchd.domain.person_names import same_person
from benchd.domain.port import Attached
from benchd.pipelines.chip_look import refusal_of
from benchd.pipelines.drawn_job import vet
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.proof.binding import screen_number
from benchd.proof.evidence.chip_evidence import OPERATOR, ChipEvidence
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.evidence.recheck_evidence import FindDrawnEvidence, RecheckEvidence
from benchd.proof.floors import LEAST_PASSES
from benchd.proof.recheck_chip import by_eye, chip_before, chip_differs
from benchd.proof.recheck_proof import up_to_end
from benchd.proof.recheck_tie_proof import is_known_again, label_was_scanned


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckStage:
    """Weighs the answer and the port, and looks at the chip by the drawn job's own means.

    Whatever speaks against it ends the job, and the drawn job is never certified then.
    """

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.RECHECK,
        destructive=False,
        needs_access=False,
        after=(StageName.FIND_DRAWN,),
    )

    async def run(self, context: JobContext) -> StageResult:
        """Touches nothing: a handset fresh from its reset offers no adb."""
        found = context.evidence.find_drawn
        if found is None:
            raise StageFailed(Reason.PROOF_INCOMPLETE, "nobody knows which job it is of")
        if not found.answer.approved:
            raise StageFailed(Reason.NOT_AS_RESET, f"{Gate.RECHECK} was answered with no")
        self._refuse_adb(context)
        chip = await self._chip(context, found)
        await tie_to_drawn_job(context, found, chip)
        # While somebody looked, the port may have told of more interfaces.
        port = self._refuse_adb(context)
        return StageResult(
            evidence=RecheckEvidence(interfaces=tuple(sorted(port.interfaces)), chip=chip)
        )

    async def _chip(self, context: JobContext, found: FindDrawnEvidence) -> ChipEvidence:
        """By the slot's reader; what was looked at by eye, and is silent now, by eye again."""
        before = chip_before(await context.ledger.entries(JobId(found.drawn_job)))
        if context.chips.reader(context.slot) is not None:
            scan = await context.chips.scan(context.slot, passes=LEAST_PASSES, power_cycle=True)
            context.seen = seen = RecheckEvidence(interfaces=(), chip=ChipEvidence.of(scan))
            self._refuse_other_chip(before, scan)
            if seen.chip is not None and not (
                by_eye(before) and scan.verdict is ChipVerdict.SILENT
            ):
                return seen.chip
        return await self._asked(context, found)

    def _refuse_other_chip(self, before: ChipEvidence, scan: ChipScan) -> None:
        differs = list(chip_differs(before, ChipEvidence.of(scan)))
        # Another chip is another handset's: its residue dooms no handset of a drawn job.
        another = not by_eye(before) and scan.chip is not None and scan.chip != before.chip
        if differs and (another or scan.verdict is ChipVerdict.UNUSED):
            raise StageFailed(Reason.FELICA_INCONSISTENT, "; ".join(differs))
        if differs:
            raise refusal_of(scan)

    async def _asked(self, context: JobContext, found: FindDrawnEvidence) -> ChipEvidence:
        """Anything but 未利用 (unused) is residue."""

        async def vetted(by: Actor, _note: str, _approved: bool) -> None:  # noqa: FBT001
            await vet(context, by, found.answer.note)

        facts = context.handset_facts()
        decision = await context.ask(Gate.RECHECK_CHIP, facts, vetted)
        if not decision.approved:
            raise StageFailed(Reason.FELICA_RESIDUE, f"{Gate.RECHECK_CHIP} was answered with no")
        return ChipEvidence(
            source=OPERATOR, verdict=ChipVerdict.UNUSED, answer=DecisionEvidence.of(decision)
        )

    def _refuse_adb(self, context: JobContext) -> Attached:
        port = context.station.port()
        if offers_adb(port):
            raise StageFailed(Reason.NOT_AS_RESET, "adb is on, which a reset switches off")
        return port


async def tie_to_drawn_job(
    context: JobContext, found: FindDrawnEvidence, chip: ChipEvidence
) -> None:
    """Have a second person read the number of a handset that no machine knows again.

    Nobody is asked where USB or the chip ties it, or its label was scanned in this slot.
    """
    drawn = up_to_end(await context.ledger.entries(JobId(found.drawn_job)))
    here = await context.ledger.entries(context.job)
    if is_known_again(drawn, found, chip) or label_was_scanned(drawn, here):
        return
    gate = Gate.IMEI if is_imei(found.screen_number) else Gate.SERIAL

    async def vet(by: Actor, note: str, _approved: bool) -> None:  # noqa: FBT001
        if by.person == found.answer.person or same_person(by.name, found.answer.operator):
            message = f"{by.name} has named this handset: somebody else has to read its number"
            raise SecondPersonNeeded(message)
        if note.strip() and screen_number(gate, note) != found.screen_number:
            message = "its screen shows another number than the one that it was named by"
            raise RecheckRefused(message)

    shown = {"model": context.handset_facts()["model"], "serial": ""}
    if gate is Gate.SERIAL:
        del shown["serial"]
    decision = await context.ask(gate, shown, vet)
    if not decision.approved:
        raise StageFailed(Reason.HANDSET_NOT_BOUND, f"{gate} was answered with no")
