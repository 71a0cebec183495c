"""The overwrite of one handset: fill, check, sample and drop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import anyio

from benchd.errors import AnswerNotRecognised, StageFailed, StorageFault
from benchd.handset.fill_messages import (
    is_fill_name,
    read_check_done,
    read_drop_done,
    read_fill_done,
)
from benchd.handset.fill_program import FILL_DIRECTORY, FillProgram
from benchd.handset.fill_talk import (
    BAD_BYTES,
    DONE,
    ProgramBusy,
    ProgramEnd,
    ProgramRun,
    run_program,
)
from benchd.handset.shell import Shell, command_line
from benchd.model import (
    CheckReport,
    DropReport,
    FilledFile,
    FillOrder,
    FillReport,
    JsonValue,
    Reason,
)
from benchd.ports import ProgressSink

KEY_BYTES: Final = 16
BLOCK_BYTES: Final = 4096
PROGRESS_EVERY_S: Final = 1.0
DROP_STALL_S: Final = 120.0
SAMPLE_DEADLINE_S: Final = 60.0
LARGEST_SAMPLE_BYTES: Final = 16 << 20
BUSY_PATIENCE_S: Final = 30.0
BUSY_PAUSE_S: Final = 1.0


class FillDriver:
    """Drives the fill program on one handset and checks all that it reports."""

    def __init__(self, shell: Shell, program: FillProgram) -> None:
        self._shell = shell
        self._program = program

    async def fill(self, order: FillOrder, progress: ProgressSink) -> FillReport:
        """Overwrite all that can be reached; each byte is synced before it counts."""
        run = ProgramRun(
            command="fill",
            request={**_request(order), "max_bytes": 0},
            stall_s=order.stall_s,
            progress=progress,
            reports_start=True,
        )
        await self._program.install(may_make_room=True)
        end = await self._patiently(run)
        if end.started is None or end.exit_code != DONE:
            raise AnswerNotRecognised(f"a fill that ended with {end.exit_code}")
        return read_fill_done(end.done, end.started, order.file_bytes)

    async def check(
        self, order: FillOrder, files: Sequence[FilledFile], progress: ProgressSink
    ) -> CheckReport:
        """Read every file back past the cache and compare it with the keystream."""
        if not files:
            raise StageFailed(Reason.PROOF_INCOMPLETE, "there is no fill file to read back")
        listed: list[JsonValue] = [
            {"name": file.name, "stream_offset": file.stream_offset, "bytes": file.size_bytes}
            for file in files
        ]
        run = ProgramRun(
            command="check",
            request={**_request(order), "files": listed},
            stall_s=order.stall_s,
            progress=progress,
            most_bytes=sum(file.size_bytes for file in files),
        )
        await self._program.install(may_make_room=False)
        end = await self._patiently(run)
        report = read_check_done(end.done, files)
        if end.exit_code != (BAD_BYTES if report.bytes_bad else DONE):
            raise AnswerNotRecognised("the check's exit code and its report contradict each other")
        return report

    async def drop(self) -> DropReport:
        """Delete the fill files."""
        run = ProgramRun(
            command="drop", request={"directory": FILL_DIRECTORY}, stall_s=DROP_STALL_S
        )
        await self._program.install(may_make_room=True)
        end = await self._patiently(run)
        if end.exit_code != DONE:
            raise AnswerNotRecognised(f"a drop that ended with {end.exit_code}")
        return read_drop_done(end.done)

    async def sample(self, name: str, offset: int, size_bytes: int) -> bytes:
        """Bytes of one fill file, read by the handset's own `dd`; exactly these or an error."""
        if not is_fill_name(name):
            raise AnswerNotRecognised("a sample of something else than a fill file")
        if offset < 0 or not 0 < size_bytes <= LARGEST_SAMPLE_BYTES:
            raise ValueError("a sample of no or of too many bytes")
        first, skipped = divmod(offset, BLOCK_BYTES)
        blocks = -(-(skipped + size_bytes) // BLOCK_BYTES)
        # Only options that the BSD, toybox and GNU versions understand in the same way.
        command = command_line(
            "dd",
            f"if={FILL_DIRECTORY}/{name}",
            f"bs={BLOCK_BYTES}",
            f"skip={first}",
            f"count={blocks}",
        )
        answer = await self._shell.run(
            f"exec {command} 2> /dev/null",
            deadline_s=SAMPLE_DEADLINE_S,
            maximum_output_bytes=blocks * BLOCK_BYTES,
        )
        if answer.exit_code != 0:
            raise StorageFault(f"the handset's dd can't read {name} (code {answer.exit_code})")
        taken = answer.stdout[skipped : skipped + size_bytes]
        if len(taken) != size_bytes:
            raise StorageFault(f"{name} ends before {offset + size_bytes} bytes")
        return taken

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
    }
