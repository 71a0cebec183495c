"""Whoever asks for the end again and again gets it no sooner than everything is settled."""

from __future__ import annotations

import signal
import sys

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.daemon.settling_rack import STEPS

pytestmark = pytest.mark.asyncio

AGAIN = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


async def test_no_signal_ends_what_is_being_settled() -> None:
    command = [sys.executable, "-m", "tests.daemon.settling_rack"]
    async with await anyio.open_process(command) as rack:
        assert rack.stdout is not None
        assert rack.stdin is not None
        said = BufferedByteReceiveStream(rack.stdout)

        async def step() -> str:
            while (line := (await said.receive_until(b"\n", 4096)).decode()) not in STEPS:
                pass
            return line

        with anyio.fail_after(60):
            assert await step() == "ready"
            rack.send_signal(signal.SIGTERM)
            for due in ("settling", "closing", "closed"):
                assert await step() == due
                for number in AGAIN:
                    rack.send_signal(number)
                await rack.stdin.send(b"go on\n")
            # Nor does one that comes when all is closed take the place of its exit code.
            assert await rack.wait() == 0
