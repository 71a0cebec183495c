"""The last look at the chip, after the final reset: a card answers its reader without adb."""

from __future__ import annotations

from benchd.errors import ReaderFault, ReaderGone, StageFailed
from benchd.pipelines.binding import add_to_return
from benchd.pipelines.chip_evidence import refusal_of
from benchd.pipelines.contract import JobContext
from benchd.proof.evidence.chip import ChipEvidence
from benchd.proof.tie import tied_chip
from benchd.words.chip import ChipScan, ChipVerdict
from benchd.words.job import Reason

TRIES = 3
"""With adb gone an attempt can't be made again, so the look itself is."""


async def look_at_chip_again(context: JobContext) -> ChipEvidence | None:
    """The same chip, still unused, or the job ends; None where none was seen before.

    A chip that is silent now says nothing, and then doesn't tie the handset to the job either.
    """
    check, seen = context.evidence.felica_check, await same_unused_chip(context)
    if seen is not None and seen.chip is not None and tied_chip(check):
        add_to_return(context, chip=seen.chip)
    return seen


async def same_unused_chip(context: JobContext) -> ChipEvidence | None:
    """The same of a handset that hasn't left its port since it was tied."""
    check = context.evidence.felica_check
    if check is None or check.chip is None or context.chips.reader(context.slot) is None:
        return None
    scan = await _scan(context)
    if scan is None or scan.verdict is ChipVerdict.SILENT:
        return None if scan is None else ChipEvidence.of(scan)
    context.seen = seen = ChipEvidence.of(scan)
    if scan.chip != check.chip:
        raise StageFailed(Reason.HANDSET_CHANGED, "after the reset another chip lies there")
    if scan.verdict is not ChipVerdict.UNUSED:
        raise refusal_of(scan)
    return seen


async def _scan(context: JobContext) -> ChipScan | None:
    for _ in range(TRIES):
        try:
            return await context.chips.scan(context.slot, passes=1, power_cycle=True)
        except ReaderGone:
            await context.station.reader_back()
        except ReaderFault:
            continue
    return None
