"""One run of a foreign program: bounded in time and output, ended with all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import anyio
from anyio.abc import ByteReceiveStream, Process

KEPT_BYTES: Final = 64 << 10
"""How much of each of its outputs is kept: the end."""
LOUDEST_BYTES: Final = 16 << 20
STARTS_WITHIN_S: Final = 10.0
LAST_WORDS_S: Final = 2.0
"""How long what a killed program has said may take to arrive."""
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "TZ")


class Ended(Enum):
    """How a program came to its end."""

    BY_ITSELF = auto()
    BY_SIGNAL = auto()
    TOO_LATE = auto()
    TOO_LOUD = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is left of a program."""

    ended: Ended
    status: int
    """Exit code, or the negative number of a signal."""
    output: str
    """The end of standard output, decoded with replacement: hostile."""
    last_line: str
    """The last line that isn't empty, of standard error where there is one: hostile."""


class _Tail:
    def __init__(self) -> None:
        self.kept = b""
        self.size = 0

    def take(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.kept = (self.kept + chunk)[-KEPT_BYTES:]


class Program:
    """Runs once. Processes that leave the program's group on purpose aren't found again."""

    def __init__(self) -> None:
        self._process: Process | None = None

    async def run(self, command: Sequence[str], *, within_s: float) -> Said:
        """Returns when the program and all of its group have ended; OSError where it can't start.

        Cancelling kills them.
        """
        # Cancelled in here nobody would know which group to kill.
        too_long = f"it took more than {STARTS_WITHIN_S:g} s"
        with anyio.fail_after(STARTS_WITHIN_S, shield=True, reason=too_long):
            process = await anyio.open_process(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd="/",
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                start_new_session=True,
            )
        self._process = process
        output, errors = _Tail(), _Tail()
        ended = Ended.BY_ITSELF
        too_loud = anyio.Event()
        patience = anyio.CancelScope(deadline=anyio.current_time() + within_s)
        try:
            async with anyio.create_task_group() as tasks:
                for stream, tail in ((process.stdout, output), (process.stderr, errors)):
                    if stream is not None:
                        tasks.start_soon(_listen, stream, tail, too_loud)
                with patience:
                    await self._until_end(process, too_loud)
                # What it has left running holds its outputs open.
                self.kill()
                tasks.cancel_scope.deadline = anyio.current_time() + LAST_WORDS_S
            if too_loud.is_set():
                ended = Ended.TOO_LOUD
            elif patience.cancelled_caught:
                ended = Ended.TOO_LATE
        finally:
            self.kill()
            with anyio.move_on_after(LAST_WORDS_S, shield=True):
                await process.wait()
                await process.aclose()
        status = process.returncode if process.returncode is not None else -signal.SIGKILL
        if ended is Ended.BY_ITSELF and status < 0:
            ended = Ended.BY_SIGNAL
        return Said(
            ended=ended,
            status=status,
            output=output.kept.decode(errors="replace"),
            last_line=_last_line(errors.kept) or _last_line(output.kept),
        )

    def kill(self) -> None:
        """End the program and its whole group; does nothing where there is none."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _until_end(self, process: Process, too_loud: anyio.Event) -> None:
        async with anyio.create_task_group() as tasks:

            async def kill_when_too_loud() -> None:
                await too_loud.wait()
                self.kill()

            tasks.start_soon(kill_when_too_loud)
            await process.wait()
            tasks.cancel_scope.cancel()


async def _listen(stream: ByteReceiveStream, tail: _Tail, too_loud: anyio.Event) -> None:
    async for chunk in stream:
        tail.take(chunk)
        if tail.size > LOUDEST_BYTES:
            too_loud.set()
            return


def _last_line(text: bytes) -> str:
    lines = [line for line in text.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""
