"""Whether a chip has been seen with another handset: one donor's chip may lie under many."""

from __future__ import annotations

from benchd.errors import StageFailed
from benchd.pipelines.contract import JobContext
from benchd.pipelines.identity import handsets_of
from benchd.proof.identity.debts import is_anothers_chip
from benchd.words.job import Gate, Reason


async def refuse_known_chip(context: JobContext, chip: str, *, tied: bool) -> None:
    """StageFailed if the chip belongs to another handset; where nobody can tell, a person does.

    `tied`: the running look has tied it to this handset.
    """
    if await refuse_chip_of_another(context, chip, tied=tied):
        await context.approval(Gate.CHIP_SEEN_BEFORE, Reason.FELICA_INCONSISTENT)


async def refuse_chip_of_another(context: JobContext, chip: str, *, tied: bool = False) -> bool:
    """StageFailed if the chip belongs to another handset; returns whether nobody can tell.

    Two jobs that look at the same moment don't see each other's record yet: each looks twice.
    """
    if not context.certifies:
        return False
    handsets = await handsets_of(context, chips=(chip,), tied=chip if tied else None)
    for each in handsets.sharing_chip:
        if is_anothers_chip(each):
            raise StageFailed(
                Reason.FELICA_INCONSISTENT,
                f"this chip was in another handset: job {each.sightings[-1].job}; look whether a"
                " card or a handset lies on the reader",
            )
    return bool(handsets.sharing_chip)
