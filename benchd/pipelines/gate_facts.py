"""The facts that gates refuse by, read again: before the last reset and while it's waited for.

A SIM is the one refusal that mends itself while a job waits: whoever takes it out needn't say so.
"""

from __future__ import annotations

import anyio

from benchd.domain.errors import HandsetFault, StageFailed
from benchd.domain.handset import StandingFacts
from benchd.domain.job import Reason
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.pipelines.ports import AbsenceWindow
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.evidence.reset_evidence import FactsAgainEvidence
from benchd.proof.floors import MOST_S_BETWEEN_READINGS
from benchd.proof.handset_refusals import other_handset, refusals

SIM_OUT_WITHIN_S = 14_400.0
"""How long somebody may take to take a SIM out, unless the stage's own time is over before."""
SIM_EVERY_S = 15.0
REOPEN_WITHIN_S = 600.0
STALE_AFTER_S = 2 * MOST_S_BETWEEN_READINGS
"""After so long the handset is found again before anybody is asked on."""


async def wait_for_sim_out(context: JobContext) -> None:
    """Wait, and say so, until no SIM is told of any more; StageFailed where nobody takes it out."""
    try:
        with anyio.move_on_after(SIM_OUT_WITHIN_S):
            while True:
                context.station.show_problem(ProblemView(code=ProblemCode.SIM_PRESENT))
                await anyio.sleep(SIM_EVERY_S)
                if not await _sim_now(context):
                    return
    finally:
        context.station.show_problem(None)
    message = f"a SIM or an eSIM is still in it after {SIM_OUT_WITHIN_S:.0f} s"
    raise StageFailed(Reason.SIM_PRESENT, message)


async def _sim_now(context: JobContext) -> bool | None:
    try:
        return await context.handset.sim()
    except HandsetFault:
        # Some restart when their tray is pulled.
        context.device = await context.station.reopen(REOPEN_WITHIN_S)
        return True


class FactsAgain:
    """What was read of the handset last, for as long as it stays in its port."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._facts: StandingFacts | None = None
        self._read_at_s = 0.0
        self._at = context.clock.now()
        self._before_reset_s: float | None = None
        self.refusal: HandsetFault | StageFailed | None = None
        """Why the job can't go on as it is."""

    async def read(self) -> None:
        """Read them now; StageFailed for whatever forbids to erase it as it is, but a SIM."""
        self._keep(await self._context.handset.standing())

    def _keep(self, facts: StandingFacts) -> None:
        self._facts, self._read_at_s = facts, anyio.current_time()
        self._at = self._context.clock.now()
        first = self._context.inspected()
        if other_handset(first, facts) is not None:
            message = "it tells another serial, model or IMEI than at inspection"
            raise StageFailed(Reason.HANDSET_CHANGED, message)
        if not set(facts.lock_admins) <= set(first.lock_admins):
            message = "a lock of its maker's for lenders has come since inspection"
            raise StageFailed(Reason.MANAGED_DEVICE, message)
        gates = self._context.evidence.gates
        accepted = () if gates is None else gates.accepted
        for reason, detail in refusals(facts):
            if reason is not Reason.SIM_PRESENT and reason not in accepted:
                raise StageFailed(reason, detail)

    @property
    def sim(self) -> bool:
        """Whether a SIM was in it that has to be taken out."""
        return self._context.certifies and self._facts is not None and bool(self._facts.sim)

    @property
    def may_go_on(self) -> bool:
        """Whether nothing that was read is in the way of the reset."""
        return self.refusal is None and not self.sim

    async def until_gone(self, window: AbsenceWindow) -> None:
        """Read them again and again; returns once it has left, or once it can't go on.

        What a handset says while it shuts down for its reset may make no sense: a reading that
        fails is made again, and ends the attempt only once the last good one is long ago.
        """
        while self._before_reset_s is None and not await self._has_left(window):
            try:
                facts = await self._context.handset.standing()
            except (HandsetFault, StageFailed) as failure:
                if anyio.current_time() - self._read_at_s > STALE_AFTER_S:
                    self.refusal = failure
                    return
                continue
            try:
                self._keep(facts)
            except StageFailed as failure:
                self.refusal = failure
                return
            if self.sim:
                return

    async def until_refused(self, window: AbsenceWindow) -> None:
        """The same, but whoever has left is waited for without an end."""
        await self.until_gone(window)
        if self._before_reset_s is not None:
            await anyio.sleep_forever()

    async def _has_left(self, window: AbsenceWindow) -> bool:
        with anyio.move_on_after(MOST_S_BETWEEN_READINGS):
            await window.departed()
            self.note_departure()
        return self._before_reset_s is not None

    def note_departure(self) -> None:
        """It has left its port by now."""
        if self._before_reset_s is None:
            self._before_reset_s = anyio.current_time() - self._read_at_s

    def evidence(self) -> FactsAgainEvidence:
        """What was read last, for the record."""
        if self._facts is None:
            message = "nobody has read again what the gates refuse by"
            raise StageFailed(Reason.PROOF_INCOMPLETE, message)
        self.note_departure()
        return FactsAgainEvidence.of(
            self._facts, at=self._at, before_reset_s=self._before_reset_s or 0.0
        )
