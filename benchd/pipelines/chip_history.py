"""Whether a chip has been seen with another handset: one donor's chip may lie under many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from benchd.domain.errors import StageFailed
from benchd.domain.job import Gate, Reason
from benchd.pipelines.identity_lookup import handsets_of
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.proof.identity.unresolved_jobs import is_anothers_chip, own_chip_by


async def tie_unless_anothers(
    context: JobContext,
    seen: ChipEvidence,
    tie: Callable[[JobContext, ChipEvidence], Awaitable[ChipEvidence]],
) -> ChipEvidence:
    """The same look after a try to tie the chip; StageFailed if it belongs to another handset.

    What another's record has of it gives way to a tie; where nobody can tell, a person does.
    """
    chip = seen.chip or ""
    try:
        unsure = await refuse_chip_of_another(context, chip)
    except StageFailed:
        tied = await tie(context, seen)
        if not tied.tied:
            raise
        context.seen = tied
        await refuse_chip_of_another(context, chip, tied=True)
        return tied
    if unsure:
        await context.approval(Gate.CHIP_SEEN_BEFORE, Reason.FELICA_INCONSISTENT)
    return await tie(context, seen)


async def refuse_chip_of_another(context: JobContext, chip: str, *, tied: bool = False) -> bool:
    """StageFailed if the chip belongs to another handset; returns whether nobody can tell.

    Two jobs that look at the same moment don't see each other's record yet: each looks twice.
    """
    if not context.certifies:
        return False
    handsets = await handsets_of(context, chips=(chip,), tied=chip if tied else None)
    if (own_by := own_chip_by(handsets)) is not None:
        raise StageFailed(
            Reason.FELICA_INCONSISTENT,
            f"this handset's own chip is another, by job {own_by.job}; look whether a card or a"
            " handset lies on the reader",
        )
    for each in handsets.sharing_chip:
        if is_anothers_chip(each):
            raise StageFailed(
                Reason.FELICA_INCONSISTENT,
                f"this chip was in another handset: job {each.sightings[-1].job}; look whether a"
                " card or a handset lies on the reader",
            )
    return bool(handsets.sharing_chip)
