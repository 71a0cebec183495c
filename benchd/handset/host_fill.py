"""The overwrite of a handset on which no native program runs: the host makes the keystream.

The cable carries every byte twice, there and back, so this is for the few handsets that refuse
to run a program; the proof is the same: each byte is read past the cache and compared.
"""

from __future__ import annotations

from typing import Final

import anyio

from benchd.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetFault,
    StageFailed,
    StorageFault,
    UnsupportedHandset,
)
from benchd.handset.bus_turns import BusTurn
from benchd.handset.fill_messages import LONGEST_BAD_LIST, fill_name, is_fill_name
from benchd.handset.fill_program import FILL_DIRECTORY
from benchd.handset.inspection import read_storage_facts
from benchd.handset.keystream import AES_COUNTER
from benchd.handset.packets import Exit, Output
from benchd.handset.shell import CommandStream, Shell, require_success
from benchd.model import (
    BadRun,
    CheckOrder,
    CheckReport,
    DropReport,
    FilledFile,
    FillOrder,
    FillReport,
    Reason,
    TransferProgress,
)
from benchd.ports import Keystream, ProgressSink

MODE: Final = "streamed"
PROGRAM: Final = "none"
PIECE_BYTES: Final = 256 << 10
BLOCK_BYTES: Final = 4096
SMALL_FILES: Final = 4096
"""How many files may be begun; a storage that is never full isn't believed."""
COMMAND_DEADLINE_S: Final = 120.0
MOST_STDERR_BYTES: Final = 4096
MOST_DIGITS: Final = 15

_NO_SPACE: Final = b"No space left on device"
_IO_ERROR: Final = b"Input/output error"
_PREPARE: Final = f"mkdir -p {FILL_DIRECTORY} && rm -f {FILL_DIRECTORY}/fill-*.dat"


class HostFill:
    """Fills, checks and drops by the handset's own `cat`, `dd` and `rm`."""

    def __init__(self, shell: Shell, keystream: Keystream, turn: BusTurn) -> None:
        self._shell = shell
        self._keystream = keystream
        self._turn = turn

    async def fill(self, order: FillOrder, progress: ProgressSink) -> FillReport:
        """Write the keystream file by file until the storage is full, and sync it."""
        begun = anyio.current_time()
        require_success(await self._shell.run(_PREPARE, deadline_s=COMMAND_DEADLINE_S), "rm")
        before = await read_storage_facts(self._shell)
        files: list[FilledFile] = []
        written = 0
        full = False
        while not full:
            if len(files) >= SMALL_FILES:
                raise StorageFault("the storage takes more than it has room for")
            meter = _Meter(progress, begun, written)
            file, full = await self._write_file(len(files), order, meter)
            if file is not None:
                files.append(file)
                written += file.size_bytes
        if not files:
            raise StorageFault("not a single block could be written")
        after = await read_storage_facts(self._shell)
        return FillReport(
            program_version=PROGRAM,
            cipher=AES_COUNTER,
            mode=MODE,
            bytes_written=written,
            resumed_bytes=0,
            files=tuple(files),
            small_files=0,
            small_bytes=0,
            directories=0,
            full_s=0.0,
            capacity_bytes=before.capacity_bytes,
            free_bytes_before=before.free_bytes,
            free_bytes_after=after.free_bytes,
            used_bytes_before=before.used_bytes,
            reserved_bytes=max(before.capacity_bytes - before.used_bytes - before.free_bytes, 0),
            elapsed_s=anyio.current_time() - begun,
        )

    async def check(self, order: CheckOrder, progress: ProgressSink) -> CheckReport:
        """Fetch every file past the handset's cache and compare it with the keystream here.

        Raises UnsupportedHandset where the handset's `dd` can't bypass the cache: what comes
        out of memory proves nothing about the flash. A sample isn't offered.
        """
        if not order.files:
            raise StageFailed(Reason.PROOF_INCOMPLETE, "there is no fill file to read back")
        if order.ranges is not None or order.small_files or order.cipher != AES_COUNTER:
            raise UnsupportedHandset("what the host has streamed is read back whole")
        begun = anyio.current_time()
        proven = bad = 0
        runs: list[BadRun] = []
        for file in order.files:
            meter = _Meter(progress, begun, proven + bad)
            compared = await self._compare(file, order.fill, meter)
            proven += compared.proven
            bad += compared.bad
            runs += compared.runs[: LONGEST_BAD_LIST - len(runs)]
        return CheckReport(
            bytes_proven=proven,
            bytes_bad=bad,
            bad_runs=tuple(runs),
            small_same=0,
            past_cache="o_direct",
            elapsed_s=anyio.current_time() - begun,
        )

    async def drop(self) -> DropReport:
        """Delete the fill files and sync."""
        listed = require_success(
            await self._shell.run(
                f"cd {FILL_DIRECTORY} && ls && rm -f fill-*.dat && sync",
                deadline_s=COMMAND_DEADLINE_S,
            ),
            "rm",
        )
        names = listed.decode(errors="replace").split()
        storage = await read_storage_facts(self._shell)
        return DropReport(
            files_removed=sum(is_fill_name(name) for name in names),
            free_bytes=storage.free_bytes,
            trim="not_asked",
            trimmed_bytes=0,
        )

    async def _write_file(
        self, index: int, order: FillOrder, meter: _Meter
    ) -> tuple[FilledFile | None, bool]:
        """One file and whether the storage is full now; None where not a byte of it fitted."""
        path = f"{FILL_DIRECTORY}/{fill_name(index)}"
        offset = index * order.file_bytes
        code, stderr = await self._pour(f"exec cat > {path}", offset, order, meter)
        full = code != 0
        if full and _NO_SPACE not in stderr:
            raise StorageFault(f"the handset's cat ended with {code} while filling")
        # fsync of the file alone isn't everywhere; sync is, and ends when all is written.
        answer = await self._shell.run(
            f"sync && wc -c < {path}", deadline_s=max(COMMAND_DEADLINE_S, order.stall_s)
        )
        size = _size(require_success(answer, "wc"), at_most=order.file_bytes)
        if not full and size != order.file_bytes:
            raise StorageFault(f"{fill_name(index)} holds {size} bytes of {order.file_bytes}")
        if size == 0:
            await self._shell.run(f"rm -f {path}")
            return None, full
        return FilledFile(name=fill_name(index), stream_offset=offset, size_bytes=size), full

    async def _pour(
        self, command: str, offset: int, order: FillOrder, meter: _Meter
    ) -> tuple[int, bytes]:
        """Feed a command with one file's part of the stream; its exit code and error output."""
        stderr = bytearray()
        codes: list[int] = []
        failures: list[BenchdError] = []
        async with (
            self._shell.stream(command, opens_within_s=order.stall_s) as running,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(self._feed, running, offset, order, meter)
            try:
                codes.append(await _until_exit(running, stderr, order.stall_s, meter))
            except BenchdError as failure:
                failures.append(failure)
            tasks.cancel_scope.cancel()
        if failures:
            raise failures[0]
        return codes[0], bytes(stderr)

    async def _feed(
        self, running: CommandStream, offset: int, order: FillOrder, meter: _Meter
    ) -> None:
        sent = 0
        try:
            while sent < order.file_bytes:
                size = min(PIECE_BYTES, order.file_bytes - sent)
                piece = self._keystream(AES_COUNTER, order.key, offset + sent, size)
                async with self._turn:
                    await running.send(piece)
                sent += size
                meter.show(sent)
            await running.close_stdin()
        except HandsetFault:
            # A command that has ended takes nothing more; its exit says why.
            return

    async def _compare(self, file: FilledFile, order: FillOrder, meter: _Meter) -> _Compared:
        command = f"exec dd if={FILL_DIRECTORY}/{file.name} bs=1048576 iflag=direct"
        stderr = bytearray()
        compared = _Compared(self._keystream, order.key, file)
        async with self._shell.stream(command, opens_within_s=order.stall_s) as running:
            while True:
                try:
                    with anyio.fail_after(order.stall_s):
                        event = await running.receive()
                except TimeoutError as late:
                    raise await running.stalled("the handset gives no more bytes") from late
                match event:
                    case Exit(0):
                        compared.end()
                        return compared
                    case Exit(code) if compared.taken == 0 and _IO_ERROR not in stderr:
                        raise UnsupportedHandset(
                            f"no program runs and its dd can't bypass the cache (code {code})"
                        )
                    case Exit(code):
                        raise StorageFault(f"the handset's dd can't read {file.name} ({code})")
                    case Output(data, is_error=True):
                        stderr += data[: MOST_STDERR_BYTES - len(stderr)]
                    case Output(data):
                        compared.take(data)
                        meter.show(compared.taken)


async def _until_exit(
    running: CommandStream, stderr: bytearray, stall_s: float, meter: _Meter
) -> int:
    while True:
        # The feeder shows each piece that is taken: only silence of both is a stall.
        with anyio.move_on_at(meter.moved_at + stall_s):
            match await running.receive():
                case Exit(code):
                    return code
                case Output(data, is_error=True):
                    stderr += data[: MOST_STDERR_BYTES - len(stderr)]
                case Output():
                    raise AnswerNotRecognised("cat writes what nobody asked for")
        if meter.silent_for(stall_s):
            raise await running.stalled("the handset takes no more bytes")


class _Meter:
    """Shows how far one file is, on top of the files before, and when something last moved."""

    def __init__(self, progress: ProgressSink, begun: float, before: int) -> None:
        self._progress = progress
        self._begun = begun
        self._before = before
        self.moved_at = anyio.current_time()

    def show(self, bytes_done: int) -> None:
        self.moved_at = anyio.current_time()
        self._progress(
            TransferProgress(
                bytes_done=self._before + bytes_done, elapsed_s=self.moved_at - self._begun
            )
        )

    def silent_for(self, seconds: float) -> bool:
        return anyio.current_time() >= self.moved_at + seconds


class _Compared:
    """Compares a file that comes in pieces with what it has to be, block by block."""

    def __init__(self, keystream: Keystream, key: bytes, file: FilledFile) -> None:
        self._keystream = keystream
        self._key = key
        self._file = file
        self._waiting = bytearray()
        self.taken = 0
        self.proven = 0
        self.bad = 0
        self.runs: list[BadRun] = []

    def take(self, data: bytes) -> None:
        """More of the file."""
        self._waiting += data
        self.taken += len(data)
        whole = len(self._waiting) // BLOCK_BYTES * BLOCK_BYTES
        self._compare(bytes(self._waiting[:whole]))
        del self._waiting[:whole]

    def end(self) -> None:
        """The file has ended; what is missing of it is bad, and so is what is too much."""
        self._compare(bytes(self._waiting))
        self._waiting.clear()
        missing = self._file.size_bytes - self.taken
        if missing > 0:
            self._blame(self.taken, missing)

    def _compare(self, data: bytes) -> None:
        if not data:
            return
        begin = self.proven + self.bad
        at_begin = self._file.stream_offset + begin
        wanted = self._keystream(AES_COUNTER, self._key, at_begin, len(data))
        if begin + len(data) <= self._file.size_bytes and data == wanted:
            self.proven += len(data)
            return
        for at in range(0, len(data), BLOCK_BYTES):
            block = data[at : at + BLOCK_BYTES]
            fits = begin + at + len(block) <= self._file.size_bytes
            if fits and block == wanted[at : at + BLOCK_BYTES]:
                self.proven += len(block)
            else:
                self._blame(begin + at, len(block))

    def _blame(self, offset: int, size_bytes: int) -> None:
        self.bad += size_bytes
        last = self.runs[-1] if self.runs else None
        if last is not None and last.offset + last.size_bytes == offset:
            self.runs[-1] = BadRun(
                name=last.name, offset=last.offset, size_bytes=last.size_bytes + size_bytes
            )
        elif len(self.runs) < LONGEST_BAD_LIST:
            self.runs.append(BadRun(name=self._file.name, offset=offset, size_bytes=size_bytes))


def _size(answer: bytes, *, at_most: int) -> int:
    text = answer.decode(errors="replace").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise AnswerNotRecognised("wc: no size")
    if int(text) > at_most:
        raise StorageFault("a fill file holds more than was written to it")
    return int(text)
