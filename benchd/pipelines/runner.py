"""Takes one job through its recipe: intent on disk first, evidence after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import anyio
import structlog

from benchd.domain.chip import ChipOwners
from benchd.domain.errors import (
    LONGEST_DETAIL,
    AccessLost,
    HandsetFault,
    HandsetGone,
    ReaderGone,
    RecordRefused,
    StageFailed,
)
from benchd.domain.evidence_json import FORM, to_json
from benchd.domain.ids import Evidence
from benchd.domain.job import (
    DISPOSITION_OF,
    LEFT_IN_CHIP,
    Disposition,
    JobEnd,
    Outcome,
    Reason,
    StageName,
)
from benchd.domain.record import Entry, EntryKind
from benchd.pipelines.recipe import Recipe, StageSpec
from benchd.pipelines.stage_contract import JobContext, StageResult
from benchd.proof.evidence.chip_evidence import ChipEvidence

LOSSES_ALLOWED = 20
"""A lost access or reader isn't the stage's fault and costs no attempt, but not without end."""
REOPEN_WITHIN_S = 120.0
DOSSIER_WITHIN_S = 20.0
_READING = (StageName.INSPECT, StageName.GATES, StageName.INITIALISE, StageName.FINAL_RESET)
_WORTH_A_DOSSIER = (
    Reason.SYSTEM_SUSPECT,
    Reason.ANSWER_NOT_RECOGNISED,
    Reason.STORAGE_CONTRADICTS,
    Reason.UNSUPPORTED_MODEL,
)

_log = structlog.get_logger()


def end_of_failure(failure: StageFailed) -> JobEnd:
    """The end of a job that failed for this."""
    return JobEnd(
        outcome=Outcome.FAILED,
        disposition=DISPOSITION_OF[failure.reason],
        reason=failure.reason,
        detail=failure.detail,
    )


class JobRunner:
    """Runs the stages of one job in order."""

    def __init__(
        self,
        *,
        context: JobContext,
        recipe: Recipe,
        occupancy: int,
        show_stage: Callable[[StageName], None],
    ) -> None:
        self._context = context
        self._recipe = recipe
        self._occupancy = occupancy
        self._show_stage = show_stage
        self._has_destroyed = False
        self._dossier: str | None = None

    async def run(self) -> JobEnd:
        """The job's end. Cancellation means that the handset was unplugged or the daemon stops."""
        try:
            for spec in self._recipe.stages:
                await self._run_stage(spec)
        except StageFailed as failure:
            return replace(
                end_of_failure(failure),
                owners=self._owners_left(failure.reason),
                dossier=self._dossier,
            )
        if self._context.envelope is None:
            # Only a certificate makes a handset sellable; without one something is still due.
            due = self._context.due or self._recipe.ends_as
            return JobEnd(outcome=Outcome.PASSED, disposition=DISPOSITION_OF[due], reason=due)
        return JobEnd(outcome=Outcome.PASSED, disposition=Disposition.SELLABLE, reason=None)

    async def _let_through(self, spec: StageSpec) -> None:
        """Before each attempt: whatever the one before has waited for, papers may have changed."""
        if not spec.destructive:
            return
        if not self._has_destroyed:
            await self._context.while_it_stands(self._context.station.may_destroy)
            self._has_destroyed = True
        self._context.refuse_withdrawn()

    async def _run_stage(self, spec: StageSpec) -> None:
        failures = 0
        losses = 0
        attempt = 0
        while True:
            await self._let_through(spec)
            attempt += 1
            await self._record(
                EntryKind.STAGE_STARTED,
                {"stage": spec.name, "attempt": attempt, "destructive": spec.destructive},
            )
            self._show_stage(spec.name)
            self._context.seen = None
            try:
                result = await self._attempt(spec)
            except StageFailed as failure:
                await self._record_fault(spec, Outcome.FAILED, failure, failure.reason)
                await self._leave_dossier(spec, failure)
                raise
            except AccessLost as fault:
                losses += 1
                await self._record_fault(spec, Outcome.INTERRUPTED, fault, fault.code)
                if losses > LOSSES_ALLOWED:
                    raise StageFailed(Reason.ATTEMPTS_EXHAUSTED, str(fault)) from fault
            except ReaderGone as fault:
                losses += 1
                await self._record_fault(spec, Outcome.INTERRUPTED, fault, fault.code)
                if losses > LOSSES_ALLOWED:
                    raise StageFailed(Reason.ATTEMPTS_EXHAUSTED, str(fault)) from fault
                await self._context.station.reader_back()
            except HandsetFault as fault:
                failures += 1
                await self._record_fault(spec, Outcome.FAILED, fault, fault.code)
                if failures >= spec.attempts:
                    raise StageFailed(self._reason_of(fault), str(fault)) from fault
            else:
                self._context.saw(spec.name, result.evidence)
                await self._record_end(
                    spec, result.outcome, result.skipped_because, result.evidence
                )
                return
            await self._find_again()

    async def _leave_dossier(self, spec: StageSpec, failure: StageFailed) -> None:
        """Keep what a handset has said that somebody has to look into, while it's still there."""
        device = self._context.device
        if spec.name not in _READING or failure.reason not in _WORTH_A_DOSSIER or device is None:
            return
        # Outside the stage's deadline: no job ends for another reason because of this.
        with anyio.move_on_after(DOSSIER_WITHIN_S):
            self._dossier = await device.leave_dossier(self._context.job, failure.detail)

    async def _find_again(self) -> None:
        if self._recipe.needs_access:
            self._context.device = await self._context.station.reopen(REOPEN_WITHIN_S)

    async def _attempt(self, spec: StageSpec) -> StageResult:
        self._context.asking = None
        try:
            with self._context.time.limited(spec.deadline_s):
                result = await spec.stage.run(self._context)
        except TimeoutError as late:
            if (gate := self._context.asking) is not None:
                message = f"{gate} wasn't answered within {spec.deadline_s:.0f} s"
                raise StageFailed(Reason.UNANSWERED, message) from late
            message = f"{spec.name} took longer than {spec.deadline_s:.0f} s"
            raise StageFailed(Reason.STAGE_DEADLINE, message) from late
        because = result.skipped_because
        if because is not None and because not in spec.stage.describes.skipped_for:
            message = f"{spec.name} may not be skipped for {because}"
            raise StageFailed(Reason.PROOF_INCOMPLETE, message)
        return result

    def _owners_left(self, reason: Reason) -> ChipOwners | None:
        """Whose services keep the handset from being sold: of the last scan that has seen any."""
        if reason not in LEFT_IN_CHIP:
            return None
        seen, check = self._context.seen, self._context.evidence.felica_check
        last = seen.owners if isinstance(seen, ChipEvidence) else None
        return last or (check.owners if check else None)

    def _reason_of(self, fault: HandsetFault) -> Reason:
        return Reason.HANDSET_LOST if isinstance(fault, HandsetGone) else Reason.ATTEMPTS_EXHAUSTED

    async def _record_fault(
        self, spec: StageSpec, outcome: Outcome, fault: Exception, because: str
    ) -> None:
        detail = str(fault)[:LONGEST_DETAIL]
        _log.warning("stage_attempt_ended", stage=spec.name, because=because, detail=detail)
        await self._record_end(spec, outcome, because, self._context.seen, detail)

    async def _record_end(
        self,
        spec: StageSpec,
        outcome: Outcome,
        because: str | None,
        evidence: object | None,
        detail: str | None = None,
    ) -> None:
        """Record how an attempt ended, or in short that its record is more than can be kept."""
        told: Evidence = {} if detail is None else {"detail": detail}
        seen: Evidence = {} if evidence is None else to_json(evidence)
        try:
            await self._record_stage_end(spec, outcome, because, {"evidence": seen, **told})
        except RecordRefused as refused:
            self._context.seen = None
            short: Evidence = {"evidence": {}, "detail": refused.detail}
            await self._record_stage_end(spec, Outcome.FAILED, refused.reason, short)
            raise

    async def _record_stage_end(
        self, spec: StageSpec, outcome: Outcome, because: str | None, more: Evidence
    ) -> None:
        came_back = self._context.binding.to_record()
        end: Evidence = {
            "stage": spec.name,
            "outcome": outcome,
            "because": because,
            "form": FORM,
            "came_back": None if came_back is None else to_json(came_back),
            **more,
        }
        await self._record(EntryKind.STAGE_ENDED, end)

    async def _record(self, kind: EntryKind, data: Evidence) -> None:
        await self._context.ledger.append(
            Entry(
                kind=kind,
                at=self._context.clock.now(),
                slot=self._context.slot,
                occupancy=self._occupancy,
                job=self._context.job,
                data=data,
            )
        )
