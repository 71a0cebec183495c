"""That somebody has seen the handset shortly before a second person confirms it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import anyio

from benchd.pipelines.asking import ask_until
from benchd.pipelines.chip_again import same_unused_chip
from benchd.pipelines.contract import JobContext
from benchd.proof.evidence.confirm import LookAgain
from benchd.proof.evidence.people import DecisionEvidence
from benchd.proof.floors import MOST_S_FROM_LOOK_TO_CONFIRM
from benchd.words.job import Decision, Gate, Reason

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
