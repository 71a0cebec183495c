"""Stage `overwrite`: the handset fills its own storage with a keystream that only this job has."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from benchd.model import Evidence, FillOrder, FillReport
from benchd.pipelines.progress import TransferMeter
from benchd.pipelines.stage import JobContext, StageResult

KEY_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class OverwriteStage:
    """Runs the fill program; what it says is a claim until the read-back."""

    file_bytes: int = 1 << 30
    stall_s: float = 60

    async def run(self, context: JobContext) -> StageResult:
        """Fill everything that can be reached; a second attempt does it all with another key."""
        # With a key used twice, blocks of the first attempt would pass for the second's.
        context.fill_key = context.entropy.token(KEY_BYTES)
        order = FillOrder(key=context.fill_key, file_bytes=self.file_bytes, stall_s=self.stall_s)
        meter = TransferMeter(context.inspected().storage.free_bytes, context.bench.show_progress)
        report = await context.handset.fill(order, meter.progress)
        return StageResult(evidence=self._evidence(order, report))

    def _evidence(self, order: FillOrder, report: FillReport) -> Evidence:
        return {
            "cipher": report.cipher,
            "program_version": report.program_version,
            "mode": report.mode,
            "key_sha256": hashlib.sha256(order.key).hexdigest(),
            "file_bytes": order.file_bytes,
            "bytes_written": report.bytes_written,
            "files": [
                {
                    "name": file.name,
                    "stream_offset": file.stream_offset,
                    "size_bytes": file.size_bytes,
                }
                for file in report.files
            ],
            "capacity_bytes": report.capacity_bytes,
            "free_bytes_before": report.free_bytes_before,
            "free_bytes_after": report.free_bytes_after,
            "elapsed_s": report.elapsed_s,
        }
