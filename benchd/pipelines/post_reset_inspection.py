"""The last look at a handset after its final reset, and at its chip: by eye, and without adb."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import anyio

from benchd.domain.chip import ChipScan, ChipVerdict
from benchd.domain.errors import ReaderFault, ReaderGone, StageFailed
from benchd.domain.job import Decision, Gate, Reason
from benchd.pipelines.chip_look import refusal_of
from benchd.pipelines.handset_binding import add_to_return
from benchd.pipelines.stage_contract import JobContext
from benchd.pipelines.stage_waits import ask_until
from benchd.proof.chip_ownership import tied_chip
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.evidence.reset_evidence import LookAgain
from benchd.proof.floors import MOST_S_FROM_LOOK_TO_CONFIRM

TRIES: Final = 3
"""With adb gone an attempt at the chip can't be made again, so the look itself is."""
_MOST: Final = timedelta(seconds=MOST_S_FROM_LOOK_TO_CONFIRM)


class LastLook:
    """The newest look at a handset that waits to be confirmed; `observe` has taken the first."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        observed = context.evidence.observe
        self._answer = observed.answer if observed is not None else None
        self.again: LookAgain | None = None
        """The look that was taken after that of `observe`."""

    async def while_fresh(self, ask: Callable[[], Awaitable[Decision]]) -> Decision:
        """The second person's answer while the look is fresh; else the handset is looked at anew.

        That costs one more answer, on the morning after or on Monday, and no erasure.
        """
        while True:
            left_s = self._left_s()
            if left_s is None:
                return await ask()
            if left_s > 0:
                decision = await ask_until(ask, lambda left_s=left_s: anyio.sleep(left_s))
                # A no needs no look, and the clock may have been set in the meantime.
                if decision is not None and (not decision.approved or self._is_fresh(decision)):
                    return decision
            await self._look_again()

    def _left_s(self) -> float | None:
        if self._answer is None:
            return None
        return (self._answer.at + _MOST - self._context.clock.now()).total_seconds()

    def _is_fresh(self, decision: Decision) -> bool:
        return self._answer is not None and decision.at - self._answer.at <= _MOST

    async def _look_again(self) -> None:
        decision = await self._context.approval(Gate.OBSERVE, Reason.FINAL_RESET_NOT_PROVEN)
        self._answer = DecisionEvidence.of(decision)
        chip = await same_unused_chip(self._context)
        self.again = LookAgain(answer=self._answer, chip=chip)


async def look_at_chip_again(context: JobContext) -> ChipEvidence | None:
    """The same chip as before the reset, still unused, or the job ends; None where none was seen.

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
