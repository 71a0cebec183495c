"""The adb server's own question-and-answer protocol, on the event loop.

A request is four hex digits of length and a text; the answer is OKAY or FAIL, and what
follows is a text with its length in front, or a stream. Source: AOSP adb, SERVICES.TXT.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import anyio

from benchd.android.server.loop_stream import LoopStream
from benchd.errors import AdbServerLost

HOST: Final = "127.0.0.1"
MAXIMUM_REQUEST_BYTES: Final = 0xFFFF
SERVER_DEADLINE_S: Final = 5.0


class RequestRefused(Exception):
    """Raised when the adb server answers FAIL; the text is its reason."""


class SmartSocket:
    """One connection to the adb server; raises AdbServerLost when it ends early."""

    def __init__(self, stream: LoopStream) -> None:
        self.stream = stream
        """What comes after the answers belongs to whoever reads it from there on."""

    async def request(self, text: str) -> None:
        """Ask and wait for OKAY; raises RequestRefused on FAIL."""
        encoded = text.encode()
        if len(encoded) > MAXIMUM_REQUEST_BYTES:
            raise ValueError(f"a request of {len(encoded)} bytes is too long for adb")
        try:
            await self.stream.send(b"%04x" % len(encoded) + encoded)
        except (anyio.BrokenResourceError, OSError) as broken:
            raise AdbServerLost("the adb server closed the connection") from broken
        status = await self.read_exactly(4)
        if status == b"FAIL":
            raise RequestRefused(await self.block())
        if status != b"OKAY":
            raise AdbServerLost("what answers on the adb server's port is no adb server")

    async def block(self) -> str:
        """Read one text with its length in front."""
        return (await self.message()).decode(errors="replace")

    async def message(self) -> bytes:
        """Read the bytes of one answer with its length in front."""
        header = await self.read_exactly(4)
        try:
            size_bytes = int(header, 16)
        except ValueError as garbled:
            raise AdbServerLost("the adb server's answer is garbled") from garbled
        return await self.read_exactly(size_bytes)

    async def read_exactly(self, size_bytes: int) -> bytes:
        """Read that many bytes, however they arrive."""
        try:
            return await self.stream.receive_exactly(size_bytes)
        except (anyio.IncompleteRead, anyio.BrokenResourceError, OSError) as ended:
            raise AdbServerLost("the adb server closed the connection") from ended


@asynccontextmanager
async def connect(port: int) -> AsyncGenerator[SmartSocket, None]:
    """A connection to the adb server on this port; it never starts one."""
    link = await connected(port)
    try:
        yield link
    finally:
        link.stream.close()


async def connected(port: int) -> SmartSocket:
    """The same for whoever closes it himself; where this raises, nothing is left open."""
    try:
        # Of a socket that isn't TCP by name asyncio lets small packets wait for the ones before.
        opened = socket.socket(proto=socket.IPPROTO_TCP)
    except OSError as refused:
        raise AdbServerLost("no socket is left to reach the adb server with") from refused
    try:
        opened.settimeout(0)
        with anyio.fail_after(SERVER_DEADLINE_S):
            # On the loopback address it's there at once or refused: no name is looked up for it.
            await asyncio.get_running_loop().sock_connect(opened, (HOST, port))
            return SmartSocket(await LoopStream.over(opened))
    except TimeoutError as late:
        opened.close()
        raise AdbServerLost("the adb server takes no connection") from late
    except OSError as refused:
        opened.close()
        raise AdbServerLost("no adb server is listening") from refused
    except BaseException:
        opened.close()
        raise


async def server_version(port: int, deadline_s: float = SERVER_DEADLINE_S) -> int:
    """The protocol version that the adb server on this port speaks; proves that it answers."""
    try:
        with anyio.fail_after(deadline_s):
            async with connect(port) as link:
                await link.request("host:version")
                return int(await link.block(), 16)
    except TimeoutError as late:
        raise AdbServerLost("the adb server doesn't answer") from late
    except (RequestRefused, ValueError) as strange:
        raise AdbServerLost("what answers on the adb server's port is no adb server") from strange
