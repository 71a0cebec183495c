"""Starts visitors and other neighbours as processes of their own, and ends them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from benchd.domain.errors import BenchdError
from benchd.lab.benchmarks import visitors

HERE: Final = Path(str(files(visitors)))
STRANGER: Final = HERE / "stranger.py"
EXPECTED: Final = HERE / "expected.py"
DUMMY: Final = HERE / "dummy.py"
BUSY: Final = "while True: pass"
THERE_WITHIN_S: Final = 120.0
LONGEST_LINE_BYTES: Final = 1 << 22


class VisitorsBroken(BenchdError):
    """Raised when visitors ended although nobody asked them to."""


class Program:
    """One that says a line when it is there, and one for each that it's told."""

    def __init__(self, process: Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise VisitorsBroken("visitors have no input or output")
        self.pid = process.pid
        self._stdin = process.stdin
        self._lines = BufferedByteReceiveStream(process.stdout)

    async def line(self) -> str:
        """The next that it says."""
        try:
            told = await self._lines.receive_until(b"\n", LONGEST_LINE_BYTES)
        except (anyio.EndOfStream, anyio.IncompleteRead) as ended:
            raise VisitorsBroken("visitors ended by themselves") from ended
        return told.decode()

    async def asked(self) -> dict[str, Any]:
        """What it answers to a line."""
        await self._stdin.send(b"\n")
        answer: dict[str, Any] = json.loads(await self.line())
        return answer

    async def ended(self) -> dict[str, Any]:
        """What it says at the end of its input."""
        await self._stdin.aclose()
        answer: dict[str, Any] = json.loads(await self.line())
        return answer


@asynccontextmanager
async def program(
    *arguments: object, prefix: Sequence[str] = ()
) -> AsyncGenerator[tuple[Program, str], None]:
    """One with its first line; it is ended with the block."""
    async with _process(*prefix, sys.executable, *map(str, arguments)) as process:
        running = Program(process)
        with anyio.fail_after(THERE_WITHIN_S):
            line = await running.line()
        yield running, line.strip()


@asynccontextmanager
async def busy_neighbours(count: int) -> AsyncGenerator[None, None]:
    """Other work on this machine: so many processes that each want a whole processor."""
    async with anyio.create_task_group() as tasks:

        async def busy() -> None:
            async with _process(sys.executable, "-c", BUSY):
                await anyio.sleep_forever()

        for _ in range(count):
            tasks.start_soon(busy)
        yield
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def _process(*command: str) -> AsyncGenerator[Process, None]:
    process = await anyio.open_process(
        ["setpriv", "--pdeathsig", "KILL", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None,
    )
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            await process.aclose()
