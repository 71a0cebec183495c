"""The overwrite of one handset: fill, check and drop."""

from __future__ import annotations

from typing import Final

import anyio

from benchd.devices.android.fill.fill_messages import (
    read_check_done,
    read_drop_done,
    read_fill_done,
)
from benchd.devices.android.fill.fill_run import (
    BAD_BYTES,
    DONE,
    HOST_SILENCE_KEY,
    ProgramBusy,
    ProgramEnd,
    ProgramRun,
    run_program,
)
from benchd.devices.android.fill.program_on_handset import FILL_DIRECTORY
from benchd.devices.android.shell.commands import Shell
from benchd.domain.errors import AnswerNotRecognised, StageFailed
from benchd.domain.fill import KEY_BYTES, CheckOrder, CheckReport, DropReport, FillOrder, FillReport
from benchd.domain.ids import JsonValue
from benchd.domain.job import Reason
from benchd.domain.ports import ProgressSink, Rest

PROGRESS_EVERY_S: Final = 1.0
HOST_SILENCE_S: Final = 30.0
"""Without a beat from the host for so long the program gives it up and makes room."""
GUARD_TAIL_S: Final = 300.0
"""When nothing was at work for so long, the handset itself deletes what takes the last room.
Longer than any wait of a job between two commands, or it would delete what is still to prove."""
GUARD_KEEP_S: Final = 1800.0
"""The same for all that the fill has made."""
DROP_STALL_S: Final = 300.0
SMALL_FILE_BYTES: Final = 3072
"""A small file of the fill program: reading it counts as progress, never as proof."""
BUSY_PATIENCE_S: Final = 30.0
BUSY_PAUSE_S: Final = 1.0


class FillDriver:
    """Drives the fill program, which is on the handset, and checks all that it reports."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def fill(
        self, order: FillOrder, progress: ProgressSink, rest: Rest | None = None
    ) -> FillReport:
        """Overwrite all that can be reached; each byte is synced before it counts."""
        run = ProgramRun(
            command="fill",
            request={
                **_request(order),
                "cipher": "auto",
                "max_bytes": 0,
                "headroom_bytes": order.headroom_bytes,
                "resume": order.resume,
                "prior_bytes": order.prior_bytes,
                "guard_tail_s": GUARD_TAIL_S,
                "guard_keep_s": GUARD_KEEP_S,
            },
            stall_s=order.stall_s,
            progress=progress,
            rest=rest,
            reports_start=True,
        )
        end = await self._patiently(run)
        if end.started is None or end.exit_code != DONE:
            raise AnswerNotRecognised(f"a fill that ended with {end.exit_code}")
        return read_fill_done(end.done, end.started, order)

    async def check(
        self, order: CheckOrder, progress: ProgressSink, rest: Rest | None = None
    ) -> CheckReport:
        """Read back what is ordered past the cache and compare it with the keystream."""
        if not order.ordered_bytes:
            raise StageFailed(Reason.PROOF_INCOMPLETE, "there is no fill file to read back")
        run = ProgramRun(
            command="check",
            request={**_request(order.fill), **_listed(order)},
            stall_s=order.fill.stall_s,
            progress=progress,
            rest=rest,
            most_bytes=order.ordered_bytes + order.small_files * SMALL_FILE_BYTES,
        )
        end = await self._patiently(run)
        report = read_check_done(end.done, order)
        all_good = report.bytes_bad == 0 and report.small_same == order.small_files
        if end.exit_code != (DONE if all_good else BAD_BYTES):
            raise AnswerNotRecognised("the check's exit code and its report contradict each other")
        return report

    async def drop(self, *, only_tail: bool = False) -> DropReport:
        """Delete all that the fill has made, or only what takes the last room."""
        request: dict[str, JsonValue] = {"directory": FILL_DIRECTORY, "only_tail": only_tail}
        run = ProgramRun(command="drop", request=request, stall_s=DROP_STALL_S)
        end = await self._patiently(run)
        if end.exit_code != DONE:
            raise AnswerNotRecognised(f"a drop that ended with {end.exit_code}")
        return read_drop_done(end.done)

    async def _patiently(self, run: ProgramRun) -> ProgramEnd:
        """Run the program; while another holds the directory, try again for a bounded time.

        A program whose cable was pulled notices it with its next line and then ends.
        """
        patience_ends = anyio.current_time() + BUSY_PATIENCE_S
        while True:
            try:
                return await run_program(self._shell, run)
            except ProgramBusy:
                if anyio.current_time() + BUSY_PAUSE_S > patience_ends:
                    raise
            await anyio.sleep(BUSY_PAUSE_S)


def _request(order: FillOrder) -> dict[str, JsonValue]:
    if len(order.key) != KEY_BYTES:
        raise ValueError(f"a key of {len(order.key)} bytes")
    return {
        "directory": FILL_DIRECTORY,
        "key": order.key.hex(),
        "file_bytes": order.file_bytes,
        "progress_s": PROGRESS_EVERY_S,
        HOST_SILENCE_KEY: HOST_SILENCE_S,
    }


def _listed(order: CheckOrder) -> dict[str, JsonValue]:
    listed: dict[str, JsonValue] = {
        "cipher": order.cipher,
        "files": [
            {"name": file.name, "stream_offset": file.stream_offset, "bytes": file.size_bytes}
            for file in order.files
        ],
        "small_files": order.small_files,
    }
    if order.ranges is not None:
        listed["ranges"] = [[part.file, part.offset, part.size_bytes] for part in order.ranges]
    return listed
