"""Stage `read_back`: what was written is read again past the cache, and the host looks itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Literal

from annotated_types import Interval

from benchd.domain.errors import StageFailed, StorageFault
from benchd.domain.fill import AwakeReport, CheckOrder, CheckReport, FilledFile, FillOrder
from benchd.domain.job import Reason, StageName
from benchd.pipelines.parameters import Patience
from benchd.pipelines.read_back_samples import BLOCK_BYTES, SamplePlan, host_places, sample_plan
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.pipelines.thermal_pause import Care, CareLimits, TransferMeter
from benchd.proof.evidence.storage_evidence import OverwriteEvidence, ReadBackEvidence
from benchd.proof.floors import LOWEST_MINIMUM_COVERAGE, MINIMUM_HOST_SAMPLES, MINIMUM_SEED_DIGITS
from benchd.proof.storage_proof import (
    HOST_PAST_CACHE,
    PAST_CACHE,
    CheckMode,
    capacities_agree,
    plain_bytes_left,
    room_is_back,
)

SEED_BYTES = MINIMUM_SEED_DIGITS // 2
SHOWN_BAD_RUNS = 8


@dataclass(slots=True, kw_only=True)
class PartProof:
    """What reading one part of the files, the tail or the body, has shown."""

    bytes_proven: int = 0
    bytes_shown: int = 0
    elapsed_s: float = 0.0
    small_files_same: int = 0
    host_samples: int = 0
    ways: set[str] = field(default_factory=set[str])
    host_ways: set[str] = field(default_factory=set[str])
    awake: AwakeReport | None = None


@dataclass(slots=True)
class _Memory:
    """What was proven stays so for another attempt."""

    tail: PartProof | None = None
    proven: ReadBackEvidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBackStage(CareLimits):
    """Proves the overwrite by two paths and says how much of the capacity it reached."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.READ_BACK,
        destructive=False,
        needs_access=True,
        after=(StageName.OVERWRITE,),
    )

    minimum_coverage: Annotated[float, Interval(ge=LOWEST_MINIMUM_COVERAGE, le=1)]
    """Share of the storage's capacity that has to be proven, 0 to 1."""
    check: Literal["whole", "sampled"] = "whole"
    host_samples: Annotated[int, Interval(ge=MINIMUM_HOST_SAMPLES, le=100_000)] = 64
    stall_s: Patience = 60

    async def run(self, context: JobContext) -> StageResult:
        """Check on the handset and sample from the host, in two parts, then delete everything.

        What takes the last room is proven and deleted first: Android isn't full for long.
        """
        # A link that breaks while files are being deleted leaves nothing to read again.
        memory = context.memory(_Memory)
        _refuse_contradiction(context)
        if memory.proven is None:
            reading = _Reading(self, context)
            if memory.tail is None:
                memory.tail = await reading.prove_tail()
            await context.handset.drop(only_tail=True)
            body = await reading.prove_body(memory.tail.bytes_proven)
            memory.proven = reading.evidence(memory.tail, body)
        dropped = await context.handset.drop()
        evidence = replace(
            memory.proven,
            files_removed=dropped.files_removed,
            free_bytes_after_drop=dropped.free_bytes,
            trim=dropped.trim,
            trimmed_bytes=dropped.trimmed_bytes,
        )
        context.seen = evidence
        if not room_is_back(dropped.free_bytes, _overwrite(context).bytes_written):
            message = f"only {dropped.free_bytes} bytes are free after the deletion"
            raise StageFailed(Reason.PROOF_INCOMPLETE, message)
        _refuse_plain_text(context)
        return StageResult(evidence=evidence)


class _Reading:
    """One attempt to prove what the overwrite is on record to have written."""

    def __init__(self, stage: ReadBackStage, context: JobContext) -> None:
        overwrite = _overwrite(context)
        if context.fill_key is None:
            raise StageFailed(Reason.PROOF_INCOMPLETE, "there is no overwrite to read back")
        self._stage = stage
        self._context = context
        self._tail = tuple(file for file in overwrite.files if file.is_tail)
        self._body = tuple(file for file in overwrite.files if not file.is_tail)
        self._cipher = overwrite.cipher
        self._small_files = overwrite.small_files
        self._written = overwrite.bytes_written
        self._capacity = overwrite.capacity_bytes
        self._free_before = overwrite.free_bytes_before
        self._fill = FillOrder(
            key=context.fill_key,
            file_bytes=overwrite.file_bytes,
            stall_s=stage.stall_s,
        )
        self._meter = TransferMeter(self._written, context.station.show_progress)
        self._seed = context.entropy.token(SEED_BYTES)
        self._plan: SamplePlan | None = None
        if stage.check == CheckMode.SAMPLED:
            self._plan = sample_plan(self._body, self._seed)

    async def prove_tail(self) -> PartProof:
        """All of it, whatever is asked of the rest: it's little, and it's gone afterwards."""
        proof = PartProof()
        if self._tail:
            order = CheckOrder(
                fill=self._fill,
                cipher=self._cipher,
                files=self._tail,
                small_files=0 if self._body else self._small_files,
            )
            await self._check(order, proof)
            await self._sample(self._tail, MINIMUM_HOST_SAMPLES, proof)
        return proof

    async def prove_body(self, proven_before: int) -> PartProof:
        """The rest, whole or by a sample, and that enough is written in all."""
        proof = PartProof()
        if self._body:
            order = CheckOrder(
                fill=self._fill,
                cipher=self._cipher,
                files=self._body,
                ranges=None if self._plan is None else self._plan.ranges,
                small_files=self._small_files,
            )
            await self._check(order, proof)
        vouched = self._vouched(proven_before + proof.bytes_proven)
        if self._capacity <= 0 or vouched / self._capacity < self._stage.minimum_coverage:
            raise StageFailed(
                Reason.COVERAGE_TOO_LOW,
                f"{vouched} of {self._capacity} bytes,"
                f" {self._stage.minimum_coverage:.0%} are needed",
            )
        if self._body:
            count = max(self._stage.host_samples, MINIMUM_HOST_SAMPLES)
            await self._sample(self._body, count, proof)
        return proof

    def _vouched(self, proven: int) -> int:
        """For how many bytes the proof stands: a sample vouches for all that it's drawn from."""
        return proven if self._plan is None else self._written

    async def _check(self, order: CheckOrder, proof: PartProof) -> None:
        care = Care(self._context, self._stage, self._meter)
        report = await care.over(lambda care: self._context.handset.check(order, care.hear, care))
        if report.bytes_bad or report.bytes_proven != order.ordered_bytes:
            raise StorageFault(_what_is_bad(report, order.ordered_bytes))
        if report.small_same != order.small_files:
            message = f"{order.small_files - report.small_same} small files aren't as written"
            raise StorageFault(message)
        if report.past_cache not in PAST_CACHE:
            raise StageFailed(Reason.PROOF_INCOMPLETE, f"read through {report.past_cache}")
        if report.bytes_shown < report.bytes_proven:
            message = f"only {report.bytes_shown} bytes came past the cache for certain"
            raise StageFailed(Reason.PROOF_INCOMPLETE, message)
        proof.bytes_proven += report.bytes_proven
        proof.bytes_shown += report.bytes_shown
        proof.elapsed_s += report.elapsed_s
        proof.small_files_same += report.small_same
        proof.ways.add(report.past_cache)
        proof.awake = report.awake

    async def _sample(self, files: Sequence[FilledFile], count: int, proof: PartProof) -> None:
        async with self._context.handset.samples() as samples:
            # The handset hears of a place only once the one before has been found right.
            for place in host_places(files, count, self._seed):
                file = files[place.file]
                seen = await samples.take(file.name, place.offset, place.size_bytes)
                at = file.stream_offset + place.offset
                wanted = self._context.keystream(self._cipher, self._fill.key, at, place.size_bytes)
                if seen.data != wanted:
                    message = f"the host's own sample of {file.name}+{place.offset} differs"
                    raise StorageFault(message)
                proof.host_samples += 1
                proof.host_ways.add(seen.past_cache)

    def evidence(self, tail: PartProof, body: PartProof) -> ReadBackEvidence:
        """Both parts together; where they were read in different ways, the weaker one is named."""
        proven = tail.bytes_proven + body.bytes_proven
        plan = self._plan
        return ReadBackEvidence(
            check_mode=CheckMode.WHOLE if plan is None else CheckMode.SAMPLED,
            bytes_proven=proven,
            bytes_bad=0,
            small_files_same=tail.small_files_same + body.small_files_same,
            tail_bytes_proven=tail.bytes_proven,
            sample_subsections=0 if plan is None else plan.subsections,
            sample_places=0 if plan is None else plan.places,
            sampled_from_bytes=0 if plan is None else sum(f.size_bytes for f in self._body),
            capacity_bytes=self._capacity,
            coverage=self._vouched(proven) / self._capacity,
            coverage_of_free=min(1.0, self._vouched(proven) / max(self._free_before, 1)),
            minimum_coverage=self._stage.minimum_coverage,
            past_cache=_weakest(tail.ways | body.ways, PAST_CACHE),
            check_elapsed_s=tail.elapsed_s + body.elapsed_s,
            host_samples=tail.host_samples + body.host_samples,
            host_sample_bytes=BLOCK_BYTES,
            host_mismatches=0,
            host_past_cache=_weakest(tail.host_ways | body.host_ways, HOST_PAST_CACHE),
            seed=self._seed.hex(),
            bytes_shown=tail.bytes_shown + body.bytes_shown,
            awake=body.awake or tail.awake,
        )


def _overwrite(context: JobContext) -> OverwriteEvidence:
    overwrite = context.evidence.overwrite
    if overwrite is None:
        raise StageFailed(Reason.PROOF_INCOMPLETE, "there is no overwrite to read back")
    return overwrite


def _refuse_contradiction(context: JobContext) -> None:
    """A `df` that tells of another storage than was written to would fail the proof hours later."""
    told = context.inspected().capacity_bytes
    found = _overwrite(context).capacity_bytes
    if not capacities_agree(told, found):
        message = f"the inspection was told of {told} bytes, the overwrite found {found}"
        raise StageFailed(Reason.PROOF_INCOMPLETE, message)


def _refuse_plain_text(context: JobContext) -> None:
    """Encrypted, what wasn't reached is nonsense after a reset; in plain text it may be read."""
    facts = context.inspected()
    left = plain_bytes_left(
        facts.crypto_state, facts.capacity_bytes, _overwrite(context).bytes_written
    )
    if left:
        message = f"{left} bytes weren't reached, and the storage isn't encrypted"
        raise StageFailed(Reason.STORAGE_UNENCRYPTED, message)


def _weakest(ways: set[str], from_strong_to_weak: Sequence[str]) -> str:
    return next((way for way in reversed(from_strong_to_weak) if way in ways), "not_read")


def _what_is_bad(report: CheckReport, ordered: int) -> str:
    places = ", ".join(
        f"{run.name}+{run.offset}:{run.size_bytes}" for run in report.bad_runs[:SHOWN_BAD_RUNS]
    )
    return (
        f"{report.bytes_bad} bytes aren't what was written,"
        f" {report.bytes_proven} of {ordered} proven ({places})"
    )
