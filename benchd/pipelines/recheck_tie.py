"""A second person reads the number of a handset that no machine knows again at its recheck."""

from __future__ import annotations

from benchd.errors import RecheckRefused, SecondPersonNeeded, StageFailed
from benchd.naming import same_person
from benchd.pipelines.contract import JobContext
from benchd.proof.binding import screen_number
from benchd.proof.evidence.chip import ChipEvidence
from benchd.proof.evidence.recheck import FindDrawnEvidence
from benchd.proof.recheck import up_to_end
from benchd.proof.recheck_tie import is_known_again, label_was_scanned
from benchd.words.ids import JobId
from benchd.words.imei import is_imei
from benchd.words.job import Gate, Reason
from benchd.words.people import Actor


async def tie_to_drawn_job(
    context: JobContext, found: FindDrawnEvidence, chip: ChipEvidence
) -> None:
    """Nobody is asked where USB or the chip ties it, or its label was scanned in this slot."""
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
