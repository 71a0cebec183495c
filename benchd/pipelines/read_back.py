"""Stage `read_back`: every byte is read again past the cache, and the host looks for itself."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchd.errors import StageFailed, StorageFault
from benchd.evidence import EvidenceReader
from benchd.model import (
    CheckReport,
    FilledFile,
    FillOrder,
    Reason,
    StageName,
)
from benchd.pipelines.progress import TransferMeter
from benchd.pipelines.stage import JobContext, StageResult
from benchd.verification import MINIMUM_HOST_SAMPLES, PAST_CACHE

BLOCK_BYTES = 4096
SEED_BYTES = 16
SHOWN_BAD_RUNS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePlace:
    """One block that the host has picked."""

    file: FilledFile
    offset: int
    size_bytes: int


def pick_places(files: Sequence[FilledFile], count: int, seed: bytes) -> list[SamplePlace]:
    """First and last block and `count` - 2 more, drawn from the seed evenly over all blocks."""
    blocks = [(file, index) for file in files for index in _block_indexes(file)]
    if not blocks:
        return []
    chooser = random.Random(seed)  # noqa: S311 - the seed is the secret, and it's on record
    chosen = {0, len(blocks) - 1}
    chosen |= set(chooser.sample(range(len(blocks)), min(count, len(blocks))))
    places: list[SamplePlace] = []
    for number in sorted(chosen):
        file, index = blocks[number]
        offset = index * BLOCK_BYTES
        places.append(
            SamplePlace(
                file=file, offset=offset, size_bytes=min(BLOCK_BYTES, file.size_bytes - offset)
            )
        )
    return places


def _block_indexes(file: FilledFile) -> range:
    return range((file.size_bytes + BLOCK_BYTES - 1) // BLOCK_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBackStage:
    """Proves the overwrite by two paths and says how much of the capacity it reached."""

    minimum_coverage: float
    """Share of the storage's capacity that has to be proven, 0 to 1."""
    host_samples: int = 64
    stall_s: float = 60

    async def run(self, context: JobContext) -> StageResult:
        """Check on the handset, sample from the host, then delete the fill files."""
        overwrite = EvidenceReader(
            context.evidence.get(StageName.OVERWRITE, {}), StageName.OVERWRITE
        )
        if context.fill_key is None:
            raise StageFailed(Reason.PROOF_INCOMPLETE, "there is no overwrite to read back")
        files = [
            FilledFile(
                name=EvidenceReader(file, "files").text("name"),
                stream_offset=EvidenceReader(file, "files").whole("stream_offset"),
                size_bytes=EvidenceReader(file, "files").whole("size_bytes"),
            )
            for file in overwrite.items("files")
        ]
        written = overwrite.whole("bytes_written")
        capacity = overwrite.whole("capacity_bytes")
        order = FillOrder(
            key=context.fill_key,
            file_bytes=overwrite.whole("file_bytes"),
            stall_s=self.stall_s,
        )
        meter = TransferMeter(written, context.bench.show_progress)
        report = await context.handset.check(order, files, meter.progress)
        self._judge(report, written, capacity)
        seed = context.entropy.token(SEED_BYTES)
        samples = await self._sample(context, order, files, seed)
        dropped = await context.handset.drop()
        return StageResult(
            evidence={
                "bytes_proven": report.bytes_proven,
                "bytes_bad": report.bytes_bad,
                "capacity_bytes": capacity,
                "coverage": report.bytes_proven / capacity,
                "minimum_coverage": self.minimum_coverage,
                "past_cache": report.past_cache,
                "check_elapsed_s": report.elapsed_s,
                "host_samples": samples,
                "host_sample_bytes": BLOCK_BYTES,
                "host_mismatches": 0,
                "seed": seed.hex(),
                "files_removed": dropped.files_removed,
                "free_bytes_after_drop": dropped.free_bytes,
            }
        )

    def _judge(self, report: CheckReport, written: int, capacity: int) -> None:
        if report.bytes_bad or report.bytes_proven != written:
            places = ", ".join(
                f"{run.name}+{run.offset}:{run.size_bytes}"
                for run in report.bad_runs[:SHOWN_BAD_RUNS]
            )
            message = (
                f"{report.bytes_bad} bytes aren't what was written,"
                f" {report.bytes_proven} of {written} proven ({places})"
            )
            raise StorageFault(message)
        if report.past_cache not in PAST_CACHE:
            raise StageFailed(Reason.PROOF_INCOMPLETE, f"read through {report.past_cache}")
        if capacity <= 0 or report.bytes_proven / capacity < self.minimum_coverage:
            raise StageFailed(
                Reason.COVERAGE_TOO_LOW,
                f"{report.bytes_proven} of {capacity} bytes proven,"
                f" {self.minimum_coverage:.0%} are needed",
            )

    async def _sample(
        self, context: JobContext, order: FillOrder, files: Sequence[FilledFile], seed: bytes
    ) -> int:
        places = pick_places(files, max(self.host_samples, MINIMUM_HOST_SAMPLES), seed)
        for place in places:
            seen = await context.handset.sample(place.file.name, place.offset, place.size_bytes)
            wanted = context.keystream(
                order.key, place.file.stream_offset + place.offset, place.size_bytes
            )
            if seen != wanted:
                message = f"the host's own sample of {place.file.name}+{place.offset} differs"
                raise StorageFault(message)
        return len(places)
