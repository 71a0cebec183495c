"""Stage `overwrite`: the handset fills its own storage with a keystream that only this job has."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import anyio
from annotated_types import Interval, MultipleOf

from benchd.domain.errors import HandsetFault, HandsetGone, StageFailed
from benchd.domain.fill import (
    KEY_BYTES,
    NOTHING_OF_THIS_JOB,
    REMAINS_OF_LOOK,
    FillOrder,
    FillReport,
    TransferProgress,
    least_file_bytes,
)
from benchd.domain.job import Reason, StageName
from benchd.domain.slot import Away
from benchd.pipelines.handset_binding import add_to_return
from benchd.pipelines.parameters import LARGEST_BYTES, Bytes, Patience
from benchd.pipelines.read_back_samples import BLOCK_BYTES
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.pipelines.thermal_pause import Care, CareLimits, TransferMeter
from benchd.proof.evidence.storage_evidence import OverwriteEvidence
from benchd.proof.storage_proof import most_free_after_fill, most_taken, taken_bytes

TAKE_BACK_WITHIN_S = 5.0
"""A handset that isn't this job's is refused by then, whatever it still holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverwriteStage(CareLimits):
    """Runs the fill program; what it says is a claim until the read-back."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.OVERWRITE,
        destructive=True,
        needs_access=True,
        after=(StageName.INSPECT,),
    )

    file_bytes: Annotated[
        # Each file is a line of evidence: on a large storage they are larger than this.
        int,
        Interval(ge=1 << 20, le=LARGEST_BYTES),
        MultipleOf(BLOCK_BYTES),
    ] = 1 << 30
    stall_s: Patience = 60
    headroom_bytes: Bytes = 256 << 20
    unplugged: Literal["abort", "wait"] = "abort"
    """What a pulled cable does to the job: end it, or let it go on where the proof ends."""
    leave_within_s: Patience = 10
    """How long the port may take to tell of a departure that broke the fill off."""
    return_within_s: Patience = 120

    async def run(self, context: JobContext) -> StageResult:
        """Fill everything that can be reached, and go on where an earlier attempt was broken off.

        One key serves all attempts of a job. What an earlier one has written counts only if
        it's read from the medium and found to be the keystream, and all of it is read again
        in the read-back: docs/adr/0008-resume-by-proof.md.
        """
        if self.unplugged == "abort":
            fill = await self._begin(context)
            report, runs, rested_s = await fill.run(), 1, fill.rested_s
        else:
            fill, report, runs, rested_s = await self._fill_over_replugs(context)
        evidence = _evidence(fill.order, report, runs=runs, rested_s=rested_s)
        context.seen = evidence
        _refuse_room_left(context, evidence)
        return StageResult(evidence=evidence)

    async def _begin(self, context: JobContext) -> _Fill:
        """The next run: one on a handset that was away has to begin with a proof."""
        memory = context.memory(_Memory)
        here = context.station.port().attachment
        resume = context.fill_key is not None
        if context.fill_key is None:
            context.fill_key, memory.attachment = context.entropy.token(KEY_BYTES), here
        was_away = here != memory.attachment
        if was_away and not memory.confirmed_bytes:
            # Nothing of this job is on it yet, so nothing is lost by beginning with it anew.
            await context.station.counts_as_unplugged()
        order = FillOrder(
            key=context.fill_key,
            file_bytes=self._file_bytes(context),
            stall_s=self.stall_s,
            headroom_bytes=self.headroom_bytes,
            resume=resume,
            prior_bytes=memory.confirmed_bytes if was_away else 0,
        )
        return _Fill(context, order, self, None if was_away else memory)

    def _file_bytes(self, context: JobContext) -> int:
        """What the recipe says, or as much more as keeps their list within one record."""
        least = least_file_bytes(context.inspected().capacity_bytes)
        return min(max(self.file_bytes, least), LARGEST_BYTES)

    async def _fill_over_replugs(self, context: JobContext) -> tuple[_Fill, FillReport, int, float]:
        """Let the handset leave its port meanwhile, as long as it proves that it's the same."""
        runs = 0
        rested_s = 0.0
        while True:
            runs += 1
            fill = await self._begin(context)
            async with context.station.planned_absence() as window:
                try:
                    report = await fill.run()
                except HandsetGone:
                    rested_s += fill.rested_s
                    absence = await window.absence(
                        leave_within_s=self.leave_within_s,
                        return_within_s=self.return_within_s,
                        why=Away.CABLE_OUT,
                    )
                    if not absence.left:
                        raise
                else:
                    return fill, report, runs, rested_s + fill.rested_s
            # Away for good, it counts as unplugged and this isn't reached.
            context.device = await context.station.reopen(self.return_within_s)


@dataclass(slots=True)
class _Memory:
    """Kept over all attempts: only what was confirmed before the first departure is a proof."""

    attachment: str = ""
    """The enumeration of the port on which the first fill began."""
    confirmed_bytes: int = 0


class _Fill:
    """One run of the fill program, and how far it was heard to come."""

    def __init__(
        self, context: JobContext, order: FillOrder, limits: CareLimits, memory: _Memory | None
    ) -> None:
        self._context = context
        self.order = order
        self._memory = memory
        self._filled = False
        meter = TransferMeter(_expected_bytes(context), context.station.show_progress)
        self._care = Care(context, limits, meter)

    @property
    def rested_s(self) -> float:
        return self._care.rested_s

    async def run(self) -> FillReport:
        try:
            return await self._proven_first()
        except StageFailed as refused:
            if refused.reason is not Reason.HANDSET_CHANGED or await self._took_back():
                raise
            message = f"{refused.detail}; {REMAINS_OF_LOOK}"
            raise StageFailed(refused.reason, message) from refused

    async def _proven_first(self) -> FillReport:
        self._context.refuse_withdrawn()
        report = await self._care.over(
            lambda care: self._context.handset.fill(self.order, self._hear, care)
        )
        self._filled = True
        if self.order.prior_bytes:
            self._prove(report.prior_bytes_proven)
        return report

    async def _took_back(self) -> bool:
        """Whether nothing that this job has put there is left on a handset that isn't its own."""
        with anyio.move_on_after(TAKE_BACK_WITHIN_S), suppress(HandsetFault, StageFailed):
            if self._filled:
                await self._context.handset.drop()
            await self._context.handset.take_back()
            return True
        return False

    def _prove(self, bytes_proven: int) -> None:
        if not 0 < bytes_proven <= self.order.prior_bytes:
            raise StageFailed(Reason.HANDSET_CHANGED, NOTHING_OF_THIS_JOB)
        add_to_return(self._context, keystream_bytes=bytes_proven)

    def _hear(self, progress: TransferProgress) -> None:
        if self._memory is not None:
            self._memory.confirmed_bytes = max(self._memory.confirmed_bytes, progress.bytes_done)
        self._care.hear(progress)


def _refuse_room_left(context: JobContext, evidence: OverwriteEvidence) -> None:
    """What was never written fails the proof hours later: as free, or as gone without a trace."""
    capacity, reset = evidence.capacity_bytes, context.evidence.initialise
    free, most = evidence.free_bytes_after, most_free_after_fill(capacity)
    if free > most:
        message = f"{free} bytes are still free after the fill, {most} may be"
        raise StageFailed(Reason.COVERAGE_TOO_LOW, message)
    taken, most = 0 if reset is None else taken_bytes(reset, evidence), most_taken(capacity)
    if taken > most:
        message = f"{taken} bytes came into use beside what was written, {most} may have"
        raise StageFailed(Reason.COVERAGE_TOO_LOW, message)


def _expected_bytes(context: JobContext) -> int:
    """What is free since the reset: at the inspection an earlier job's fill may have lain there."""
    facts, reset = context.inspected(), context.evidence.initialise
    used_bytes = facts.used_bytes if reset is None else reset.left.used_bytes
    return facts.capacity_bytes - used_bytes


def _evidence(
    order: FillOrder, report: FillReport, *, runs: int, rested_s: float
) -> OverwriteEvidence:
    return OverwriteEvidence(
        cipher=report.cipher,
        program_version=report.program_version,
        mode=report.mode,
        key_sha256=hashlib.sha256(order.key).hexdigest(),
        file_bytes=order.file_bytes,
        bytes_written=report.bytes_written,
        resumed_bytes=report.resumed_bytes,
        fill_runs=runs,
        files=report.files,
        small_files=report.small_files,
        small_bytes=report.small_bytes,
        directories=report.directories,
        headroom_bytes=order.headroom_bytes,
        full_s=report.full_s,
        capacity_bytes=report.capacity_bytes,
        free_bytes_before=report.free_bytes_before,
        free_bytes_after=report.free_bytes_after,
        used_bytes_before=report.used_bytes_before,
        reserved_bytes=report.reserved_bytes,
        elapsed_s=report.elapsed_s,
        rested_s=rested_s,
        logs=report.logs,
        awake=report.awake,
    )
