"""Bytes in bulk over the cable: into a command on a handset, and out of its `dd`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import anyio

from benchd.devices.android.fill.bus_turns import BusTurn
from benchd.devices.android.fill.comparison import Comparison
from benchd.devices.android.fill.counted_reads import counted, require_fetched
from benchd.devices.android.fill.program_on_handset import FILL_DIRECTORY
from benchd.devices.android.shell.commands import CommandStream, Shell
from benchd.devices.android.shell.packets import Exit, Output
from benchd.domain.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetFault,
    StorageFault,
    UnsupportedHandset,
)
from benchd.domain.fill import BLOCK_BYTES, TransferProgress
from benchd.domain.ports import ProgressSink, Rest

PIECE_BYTES: Final = 256 << 10
KEPT_STDERR_BYTES: Final = 4096
MOST_STDERR_BYTES: Final = 1 << 20

_IO_ERROR: Final = b"Input/output error"

Source = Callable[[int, int], bytes]
"""The bytes to send, by their place and number."""


class Meter:
    """Shows how far a transfer of several parts is, when it last moved and when it has to rest."""

    def __init__(self, progress: ProgressSink, rest: Rest | None = None) -> None:
        self._progress = progress
        self._rest = rest
        self._begun = self.moved_at = anyio.current_time()
        self._before = 0

    def begin(self, before: int) -> None:
        """The next part comes, on top of so many bytes."""
        self._before = before
        self.touch()

    def touch(self) -> None:
        """The time without growth begins anew."""
        self.moved_at = anyio.current_time()

    def show(self, bytes_done: int) -> None:
        """So many bytes of this part are done."""
        self.touch()
        self._progress(
            TransferProgress(
                bytes_done=self._before + bytes_done, elapsed_s=self.moved_at - self._begun
            )
        )

    def silent_for(self, seconds: float) -> bool:
        """Whether nothing has moved for so long."""
        return anyio.current_time() >= self.moved_at + seconds

    @property
    def resting(self) -> bool:
        """Whether the handset has to rest now; growth isn't expected of it meanwhile."""
        return self._rest is not None and self._rest.due

    async def rested(self) -> None:
        """Wait for as long as the handset has to rest; returns at once where it hasn't."""
        while self._rest is not None and self._rest.due:
            await self._rest.changed()
            self.touch()


class _Complaints:
    """What a command writes about errors: its beginning is kept, and a flood is refused."""

    def __init__(self) -> None:
        self.kept = b""
        self._taken = 0

    def take(self, data: bytes) -> None:
        """More of it; raises AnswerNotRecognised where that is a flood."""
        self._taken += len(data)
        if self._taken > MOST_STDERR_BYTES:
            raise AnswerNotRecognised("the handset floods its errors")
        self.kept += data[: KEPT_STDERR_BYTES - len(self.kept)]


class CableStreams:
    """The streams of one handset, each piece in its turn on the bus."""

    def __init__(self, shell: Shell, turn: BusTurn) -> None:
        self._shell = shell
        self._turn = turn

    async def pour(
        self, command: str, source: Source, size_bytes: int, meter: Meter, *, stall_s: float
    ) -> tuple[int, bytes]:
        """Feed so many bytes to a command; its exit code and what it wrote about errors."""
        stderr = _Complaints()
        codes: list[int] = []
        failures: list[BenchdError] = []
        async with (
            self._shell.stream(command, opens_within_s=stall_s) as running,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(self._feed, running, source, size_bytes, meter)
            try:
                codes.append(await _until_exit(running, stderr, stall_s, meter))
            except BenchdError as failure:
                failures.append(failure)
            tasks.cancel_scope.cancel()
        if failures:
            raise failures[0]
        return codes[0], stderr.kept

    async def fetch(self, into: Comparison, meter: Meter, *, stall_s: float) -> None:
        """Read a part of a file past the handset's cache, to its end.

        Raises UnsupportedHandset where its `dd` can't bypass the cache, or isn't shown to have:
        what comes out of memory proves nothing about the flash. StorageFault where the medium
        can't be read.
        """
        stderr = _Complaints()
        name = into.file.name
        async with self._shell.stream(counted(_dd(into)), opens_within_s=stall_s) as running:
            while True:
                await meter.rested()
                match await self._next(running, stall_s):
                    case Exit(0):
                        into.end()
                        require_fetched(stderr.kept, into.taken)
                        return
                    case Exit(code) if into.taken == 0 and _IO_ERROR not in stderr.kept:
                        raise UnsupportedHandset(
                            f"no program runs and its dd can't bypass the cache (code {code})"
                        )
                    case Exit(code):
                        raise StorageFault(f"the handset's dd can't read {name} ({code})")
                    case Output(data, is_error=True):
                        stderr.take(data)
                    case Output(data):
                        into.take(data)
                        if into.taken > into.size_bytes + PIECE_BYTES:
                            raise StorageFault(f"{name} holds more than was written to it")
                        meter.show(into.taken)

    async def _feed(
        self, running: CommandStream, source: Source, size_bytes: int, meter: Meter
    ) -> None:
        try:
            for sent in range(0, size_bytes, PIECE_BYTES):
                await meter.rested()
                piece = source(sent, min(PIECE_BYTES, size_bytes - sent))
                async with self._turn:
                    await running.send(piece)
                meter.show(sent + len(piece))
            await running.close_stdin()
        except HandsetFault:
            # A command that has ended takes nothing more; its exit says why.
            return

    async def _next(self, running: CommandStream, stall_s: float) -> Exit | Output:
        async with self._turn:
            try:
                with anyio.fail_after(stall_s):
                    return await running.receive()
            except TimeoutError as late:
                raise await running.stalled("the handset gives no more bytes") from late


async def _until_exit(
    running: CommandStream, stderr: _Complaints, stall_s: float, meter: Meter
) -> int:
    while True:
        was_resting = meter.resting
        if was_resting:
            meter.touch()
        # The feeder shows each piece that is taken: only silence of both is a stall.
        with anyio.move_on_at(meter.moved_at + stall_s):
            match await running.receive():
                case Exit(code):
                    return code
                case Output(data, is_error=True):
                    stderr.take(data)
                case Output():
                    raise AnswerNotRecognised("cat writes what nobody asked for")
        if was_resting:
            meter.touch()
        elif not meter.resting and meter.silent_for(stall_s):
            raise await running.stalled("the handset takes no more bytes")


def _dd(part: Comparison) -> str:
    source = f"if={FILL_DIRECTORY}/{part.file.name}"
    if part.offset == 0 and part.size_bytes == part.file.size_bytes:
        # To the end of the file, wherever that is: a file that has grown isn't as written.
        return f"dd {source} bs=1048576 iflag=direct"
    first, beside = divmod(part.offset, BLOCK_BYTES)
    if beside:
        raise ValueError("a part of a file that begins inside of a block")
    count = -(-part.size_bytes // BLOCK_BYTES)
    return f"dd {source} bs={BLOCK_BYTES} skip={first} count={count} iflag=direct"
