"""Stage `initialise`: the last owner's live data is reset away, and facts prove that it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from annotated_types import Interval

from benchd.domain.errors import (
    AccessLost,
    HandsetFault,
    HandsetGone,
    StageFailed,
    TransientFault,
    UnsupportedHandset,
)
from benchd.domain.handset import ResetFacts
from benchd.domain.job import Gate, Reason, StageName
from benchd.domain.screen import OpenedPage, Page, ScreenOutcome
from benchd.pipelines.handset_binding import tie_by_screen
from benchd.pipelines.parameters import Patience
from benchd.pipelines.ports import AbsenceWindow
from benchd.pipelines.screen_requests import leave_setup_out, open_page
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.proof.evidence.handset_evidence import InitialiseEvidence
from benchd.proof.floors import MOST_FRESH_USED_BYTES, MOST_FRESH_USED_SHARE
from benchd.proof.fresh_proof import most_used_bytes, traces_of_use, unread, unshown_reset
from benchd.proof.stage_order import ARRIVED_RESET, SKIPPABLE

TEST_HARNESS_SDK = 29
"""Test Harness Mode came with Android 10."""


@dataclass(slots=True)
class _Memory:
    """Kept for a second attempt: a handset that was lost after its reset didn't arrive so."""

    before: ResetFacts | None = None
    method: str | None = None
    pages: tuple[OpenedPage, ...] = ()

    def opened(self, page: OpenedPage | None) -> None:
        """Keep what became of opening a page, if one was asked for."""
        self.pages = (*self.pages, *([page] if page else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialiseStage:
    """Resets by Test Harness Mode, which keeps adb, or by an operator's hand."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.INITIALISE,
        destructive=True,
        needs_access=True,
        after=(StageName.INSPECT,),
        skipped_for=SKIPPABLE[StageName.INITIALISE],
    )

    fresh_used_bytes: Annotated[int, Interval(gt=0, le=MOST_FRESH_USED_BYTES)]
    """A handset fresh from its reset has no more than this in use; depends on the model."""
    fresh_used_share: Annotated[float, Interval(gt=0, le=MOST_FRESH_USED_SHARE)] = (
        MOST_FRESH_USED_SHARE
    )
    """The same as a share of the storage's capacity."""
    method: Literal["test_harness", "guided"] = "test_harness"
    leave_within_s: Patience = 120
    return_within_s: Patience = 900

    async def run(self, context: JobContext) -> StageResult:
        """Skips only what shows its reset, and nobody's use since then; believes no exit code."""
        now = await context.handset.reset_facts()
        memory = context.memory(_Memory)
        if memory.before is None:
            if not (self._traces(context, now) or unread(now) or unshown_reset(now)):
                return StageResult(
                    evidence=self._evidence(context, now), skipped_because=ARRIVED_RESET
                )
            memory.before = now
        before = memory.before
        absence_s: float | None = None
        if self._missing_proof(context, before, now):
            async with context.station.planned_absence() as window:
                lost = await self._reset(context)
                now, absence_s = await self._look_again(context, window)
            missing = self._missing_proof(context, before, now)
            if missing and lost is not None:
                raise lost
            if missing:
                raise StageFailed(Reason.RESET_NOT_PROVEN, "; ".join(missing))
        setup = await self._setup_left_out(context)
        memory.opened(await tie_by_screen(context))
        return StageResult(
            evidence=replace(
                self._evidence(context, before),
                method=memory.method,
                after=now,
                absent_s=absence_s,
                pages=memory.pages,
                setup=setup,
            )
        )

    def _evidence(self, context: JobContext, before: ResetFacts) -> InitialiseEvidence:
        return InitialiseEvidence(
            before=before,
            fresh_used_bytes=self.fresh_used_bytes,
            fresh_used_share=self.fresh_used_share,
            picture=context.picture(),
        )

    async def _reset(self, context: JobContext) -> HandsetFault | None:
        """Have it reset; the fault to raise if it can't be known whether it was even asked.

        Either way the handset may leave now, so the port is watched; what was done the facts
        show, and only without a reset the fault counts: as the handset's, or as the server's.
        """
        memory = context.memory(_Memory)
        broken = "the link broke while the reset was asked for, and it wasn't made"
        if self.method == "test_harness" and context.inspected().sdk >= TEST_HARNESS_SDK:
            memory.method = "test_harness"
            context.refuse_withdrawn()
            try:
                await context.handset.enable_test_harness()
            except HandsetGone:
                return TransientFault(broken)
            except AccessLost as lost:
                return type(lost)(broken)
            except UnsupportedHandset:
                pass  # some makers leave it out: a person can still reset it
            else:
                return None
        memory.method = "guided"
        memory.opened(await open_page(context, Page.RESET))
        await context.approved(Gate.GUIDED_RESET, Reason.OPERATOR_STOPPED, context.reset_facts())
        return None

    async def _setup_left_out(self, context: JobContext) -> ScreenOutcome | None:
        """After Test Harness Mode only, and never on a handset that an account may still lock."""
        if context.memory(_Memory).method != "test_harness" or context.inspected().account_count:
            return None
        return await leave_setup_out(context)

    async def _look_again(
        self, context: JobContext, window: AbsenceWindow
    ) -> tuple[ResetFacts, float | None]:
        absence = await window.absence(
            leave_within_s=self.leave_within_s, return_within_s=self.return_within_s
        )
        if absence.left and not absence.returned:
            raise StageFailed(
                Reason.HANDSET_NOT_RETURNED, f"not back within {self.return_within_s:.0f} s"
            )
        context.device = await context.station.reopen(self.return_within_s)
        return await context.handset.reset_facts(), absence.absent_s

    def _traces(self, context: JobContext, facts: ResetFacts) -> list[str]:
        signed = context.picture()
        picture = None if signed is None else signed.picture
        most = most_used_bytes(
            context.inspected().capacity_bytes,
            at_most_bytes=self.fresh_used_bytes,
            at_most_share=self.fresh_used_share,
            picture=picture,
        )
        file_system = context.inspected().file_system
        return traces_of_use(facts, most, picture, file_system=file_system)

    def _missing_proof(
        self, context: JobContext, before: ResetFacts, after: ResetFacts
    ) -> list[str]:
        """What keeps these facts from proving that a reset lies between them."""
        signs = self._traces(context, after)
        if signs and context.picture() is None:
            signs.append("there is no fresh picture of this model and build")
        if not after.android_id or after.android_id == before.android_id:
            signs.insert(0, "android_id is the same as before")
        return signs
