"""Whoever asks for the end again and again gets it no sooner than everything is settled."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.daemon.settling_rack import STEPS

pytestmark = pytest.mark.asyncio

AGAIN = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@asynccontextmanager
async def settling() -> AsyncGenerator[tuple[Process, Callable[[], Awaitable[str]]]]:
    """A rack of its own, and what tells its next step."""
    command = [sys.executable, "-m", "tests.daemon.settling_rack"]
    async with await anyio.open_process(command) as rack:
        assert rack.stdout is not None
        said = BufferedByteReceiveStream(rack.stdout)

        async def step() -> str:
            while (line := (await said.receive_until(b"\n", 4096)).decode()) not in STEPS:
                pass
            return line

        with anyio.fail_after(50):
            assert await step() == "ready"
            yield rack, step


async def test_no_signal_ends_what_is_being_settled() -> None:
    async with settling() as (rack, step):
        assert rack.stdin is not None
        rack.send_signal(signal.SIGTERM)
        for due in ("settling", "closing", "closed"):
            assert await step() == due
            for number in AGAIN:
                rack.send_signal(number)
            await rack.stdin.send(b"go on\n")
        # Nor does one that comes when all is closed take the place of its exit code.
        assert await rack.wait() == 0


async def test_no_flood_of_signals_keeps_it_from_its_end() -> None:
    """A pipe with a byte for each would be full, and the process hang in the signal's handler."""
    async with settling() as (rack, _step):
        assert rack.stdin is not None
        again = " && ".join(f"kill -{number.value} {rack.pid}" for number in AGAIN)
        async with await anyio.open_process(["sh", "-c", f"while {again}; do :; done"]):
            await rack.stdin.send(b"go on\n" * len(STEPS))
            assert await rack.wait() == 0
