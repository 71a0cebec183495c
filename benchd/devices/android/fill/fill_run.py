"""One run of the fill program: its lines, its exit code, and a watch over its silence."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import anyio

from benchd.devices.android.fill.fill_messages import (
    Fields,
    ProgramError,
    Started,
    event_name,
    read_error,
    read_line,
    read_progress,
    read_started,
)
from benchd.devices.android.fill.program_on_handset import CANNOT_RUN, PROGRAM_PATH
from benchd.devices.android.shell.commands import CommandStream, Shell
from benchd.devices.android.shell.packets import Exit, Output
from benchd.domain.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetFault,
    HandsetGone,
    StageFailed,
    StorageFault,
    TransientFault,
    UnsupportedHandset,
)
from benchd.domain.fill import ENDED_BY_QUOTA, NOTHING_OF_THIS_JOB
from benchd.domain.ids import JsonValue
from benchd.domain.job import FaultCode, Reason
from benchd.domain.ports import ProgressSink, Rest

LONGEST_LINE_BYTES: Final = 256 << 10
"""Twice the longest report: 1,000 files of 85 bytes, and 64 bad runs."""
MOST_STDERR_BYTES: Final = 1 << 20
LINES_AT_ONCE: Final = 100
LINES_PER_SECOND: Final = 20
USUAL_LINE_BYTES: Final = 256
"""More than any line but the report: only one may be long, or reading them would cost too much."""

BEAT_EVERY_S: Final = 5.0
BEAT, BEAT_REST, BEAT_GO = b"\n", b"-\n", b"+\n"
"""A mere sign of life, and those that say whether to work."""
HOST_SILENCE_KEY: Final = "host_silence_s"
"""Where a request says after how many seconds without a beat the program gives its host up."""

DONE: Final = 0
BAD_BYTES: Final = 1

_CODE_OF_ERROR: Final[Mapping[str, int]] = MappingProxyType(
    {
        "not_proven": 1,
        "usage": 2,
        "busy": 3,
        "io": 4,
        "quota": 4,
        "cache_not_evicted": 4,
        "host_gone": 5,
    }
)
_KILLED: Final = range(129, 193)


class ProgramBusy(TransientFault):
    """Raised when another fill program is at work, perhaps one that has lost its host."""

    code = FaultCode.PROGRAM_BUSY


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramRun:
    """What the program is asked, and what may be expected of it."""

    command: str
    request: Mapping[str, JsonValue]
    stall_s: float
    most_bytes: int | None = None
    """What progress may reach; None where the program tells the capacity itself."""
    progress: ProgressSink | None = None
    """Who hears of progress; without it no growth is expected either."""
    reports_start: bool = False
    rest: Rest | None = None
    """Who says that the handset has to rest; growth isn't expected of it meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramEnd:
    """A run that came to its end: the last line is there, and so is the exit code."""

    done: Fields
    exit_code: int
    started: Started | None


async def run_program(shell: Shell, run: ProgramRun) -> ProgramEnd:
    """Run the program to its end; every other end than a whole one raises.

    The request goes in on stdin: a key on the command line would show in the process list.
    """
    begun_at = anyio.current_time()
    conversation = _Conversation(run, begun_at)
    stderr_bytes = 0
    # `exec` makes the program the one that is told when the connection ends.
    command = f"exec {PROGRAM_PATH} {run.command}"
    async with shell.stream(command, opens_within_s=run.stall_s) as running:
        try:
            with anyio.fail_after(run.stall_s):
                await running.send(json.dumps(run.request).encode() + b"\n")
            async with _beating(running, run):
                while True:
                    with anyio.fail_after(conversation.silent_at - anyio.current_time()):
                        event = await running.receive()
                    match event:
                        case Exit(code):
                            return conversation.end(code)
                        case Output(data, is_error=True):
                            stderr_bytes += len(data)
                            if stderr_bytes > MOST_STDERR_BYTES:
                                raise AnswerNotRecognised("the fill program floods its errors")
                        case Output(data):
                            conversation.hear(data, anyio.current_time())
        except TimeoutError as late:
            raise await running.stalled(conversation.silence(anyio.current_time())) from late


@asynccontextmanager
async def _beating(running: CommandStream, run: ProgramRun) -> AsyncGenerator[None, None]:
    """Let the program hear now and then that its host is still there, and when to rest."""
    failures: list[Exception] = []
    async with anyio.create_task_group() as tasks:
        if HOST_SILENCE_KEY in run.request:
            tasks.start_soon(_beat, running, run.rest)
        try:
            yield
        except Exception as failure:  # noqa: BLE001 - only carried out of the group as it is
            failures.append(failure)
        tasks.cancel_scope.cancel()
    for failure in failures:
        raise failure


async def _beat(running: CommandStream, rest: Rest | None) -> None:
    with suppress(HandsetFault):
        while True:
            with anyio.move_on_after(BEAT_EVERY_S):
                if rest is None:
                    await anyio.sleep_forever()
                else:
                    await rest.changed()
            if rest is None:
                await running.send(BEAT)
            else:
                await running.send(BEAT_REST if rest.due else BEAT_GO)


class _Conversation:
    """Takes the program's lines in and knows when it has been silent for too long."""

    def __init__(self, run: ProgramRun, begun_at: float) -> None:
        self._run = run
        self._begun_at = begun_at
        self._line = bytearray()
        self._lines = self._bytes = 0
        self._most_bytes = run.most_bytes
        self._grown_to = 0
        self._heard_at = begun_at
        self._grown_at = begun_at
        self._started: Started | None = None
        self._done: Fields | None = None
        self._error: ProgramError | None = None

    @property
    def silent_at(self) -> float:
        """When the watch runs out, unless something is heard before."""
        since = self._heard_at
        if self._run.progress is not None and not self._resting:
            # A program whose medium hangs still sends lines: only growing numbers are life.
            since = min(since, self._grown_at)
        return since + self._run.stall_s

    @property
    def _resting(self) -> bool:
        return self._run.rest is not None and self._run.rest.due

    def silence(self, now: float) -> str:
        """What has been missing for too long."""
        missing = "line" if now - self._heard_at >= self._run.stall_s else "growth"
        return f"no {missing} from the fill program for {self._run.stall_s:.0f} s"

    def hear(self, data: bytes, now: float) -> None:
        """Take in output; raises for whatever the program would never say."""
        # Counted before anything is cut: a flood isn't worth a look at each of its lines.
        self._bytes += len(data)
        self._lines += data.count(b"\n")
        lines_allowed = LINES_AT_ONCE + LINES_PER_SECOND * (now - self._begun_at)
        if (
            self._lines > lines_allowed
            or self._bytes > LONGEST_LINE_BYTES + USUAL_LINE_BYTES * lines_allowed
        ):
            raise AnswerNotRecognised("the fill program floods its output")
        self._line += data
        if b"\n" not in data:
            if len(self._line) > LONGEST_LINE_BYTES:
                raise AnswerNotRecognised("the fill program's line has no end")
            return
        *lines, self._line = self._line.split(b"\n")
        for line in lines:
            self._heard_at = now
            if self._resting:
                # Whatever it does while it rests or right after: its time begins anew.
                self._grown_at = now
            self._take(read_line(bytes(line)), now)

    def end(self, code: int) -> ProgramEnd:
        """The whole end of a run, or the fault that it ended with."""
        if self._line:
            raise AnswerNotRecognised("the fill program's last line is cut off")
        if self._error is not None:
            raise _fault(self._error, code)
        if self._done is None:
            raise _fault_without_word(code)
        if self._run.reports_start and self._started is None:
            raise AnswerNotRecognised("the fill program ended without having started")
        return ProgramEnd(done=self._done, exit_code=code, started=self._started)

    def _take(self, fields: Fields, now: float) -> None:
        if self._done is not None or self._error is not None:
            raise AnswerNotRecognised("the fill program goes on after its last line")
        match event_name(fields):
            case "started" if self._run.reports_start and self._started is None:
                self._started = read_started(fields)
                self._most_bytes = self._started.capacity_bytes
                self._grown_at = now
            case "progress" if self._run.progress is not None and self._most_bytes is not None:
                progress = read_progress(fields, self._most_bytes)
                if progress.bytes_done < self._grown_to:
                    raise AnswerNotRecognised("the fill program counts backwards")
                if progress.bytes_done > self._grown_to:
                    self._grown_to = progress.bytes_done
                    self._grown_at = now
                self._run.progress(progress)
            case "done":
                self._done = fields
            case "error":
                self._error = read_error(fields)
            case _:
                raise AnswerNotRecognised("the fill program says what it shouldn't say now")


def _fault(  # noqa: PLR0911 - one line for each word of the program
    error: ProgramError, code: int
) -> BenchdError:
    if _CODE_OF_ERROR.get(error.code) != code:
        return AnswerNotRecognised(f"the fill program's error doesn't fit its exit code {code}")
    match error.code:
        case "busy":
            return ProgramBusy(error.message)
        case "io":
            return StorageFault(error.message)
        case "quota":
            return StageFailed(Reason.STORAGE_QUOTA, ENDED_BY_QUOTA)
        case "cache_not_evicted":
            return UnsupportedHandset(f"the read-back can't bypass the cache: {error.message}")
        case "not_proven":
            return StageFailed(Reason.HANDSET_CHANGED, NOTHING_OF_THIS_JOB)
        case "host_gone":
            return HandsetGone("the fill program lost its host")
        case _:
            return AnswerNotRecognised(f"the fill program refuses the request: {error.message}")


def _fault_without_word(code: int) -> BenchdError:
    if code in CANNOT_RUN:
        return UnsupportedHandset(f"the fill program can't be run here (code {code})")
    if code == _CODE_OF_ERROR["host_gone"]:
        return HandsetGone("the fill program lost its host")
    if code in _KILLED:
        return TransientFault(f"the fill program was killed by signal {code - 128}")
    return AnswerNotRecognised(f"the fill program ended with {code} and without a report")
