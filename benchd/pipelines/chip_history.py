"""Whether a chip has been seen with another handset: one donor's chip may lie under many."""

from __future__ import annotations

from benchd.errors import StageFailed
from benchd.pipelines.contract import JobContext
from benchd.pipelines.rack_readers import ChipBefore
from benchd.proof.binding import Known
from benchd.proof.evidence.job import JobEvidence
from benchd.proof.records import stage_records
from benchd.words.ids import JobId
from benchd.words.job import Gate, Outcome, Reason

OLDEST, NEWEST = 8, 8
"""How many jobs with this chip are compared. Whoever is refused comes again, and again: the first
that had the chip must stay in sight."""
MOST_JOBS = 10_000
_KEPT = JobEvidence.__dataclass_fields__


async def refuse_known_chip(context: JobContext, chip: str) -> None:
    """StageFailed if the chip belongs to another handset; where nobody can tell, a person does."""
    _refuse_left_lying(context, chip)
    if await refuse_chip_of_another(context, chip):
        await context.approval(Gate.CHIP_SEEN_BEFORE, Reason.FELICA_INCONSISTENT)


async def refuse_chip_of_another(context: JobContext, chip: str) -> bool:
    """StageFailed if the chip belongs to another handset; returns whether nobody can tell.

    Two jobs that look at the same moment don't see each other's record yet: each looks twice.
    """
    if not context.certifies:
        return False
    mine = Known.of(context.evidence).imeis
    undecided = False
    seen_in = [job for job in await context.ledger.chip_jobs(chip, MOST_JOBS) if job != context.job]
    for job in dict.fromkeys((*seen_in[:NEWEST], *seen_in[-OLDEST:])):
        others = (await _known_of(context, job)).imeis
        if mine and others and mine.isdisjoint(others):
            raise StageFailed(
                Reason.FELICA_INCONSISTENT, f"this chip was in a handset of another IMEI: job {job}"
            )
        undecided = undecided or not (mine and others)
    return undecided


def _refuse_left_lying(context: JobContext, chip: str) -> None:
    """StageFailed if the chip was under the handset before, which certainly was another one.

    That one's IMEI needn't be known: its serial is, and one that was plugged in again is no other.
    """
    known = Known.of(context.evidence)
    if not context.certifies or known.serial is None:
        return
    now = ChipBefore(chip=chip, serial=known.serial, imeis=known.imeis, job=context.job)
    before = context.readers.chip_before(context.slot)
    if before is not None and before.chip == chip and before.another(now):
        raise StageFailed(
            Reason.FELICA_INCONSISTENT,
            "the chip that answers was there under another handset already, which is carried away:"
            f" a card or a handset lies on the reader: job {before.job}",
        )
    context.readers.saw(context.slot, now)


async def _known_of(context: JobContext, job: JobId) -> Known:
    """What is on record of the handset of another job."""
    attempts = stage_records(await context.ledger.entries(job))
    passed = [a for a in attempts if a.outcome is Outcome.PASSED and a.stage in _KEPT]
    shown = {attempt.stage: attempt.shown() for attempt in passed}
    return Known.of(JobEvidence(**shown))  # pyright: ignore[reportArgumentType]
