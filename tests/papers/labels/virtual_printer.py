"""A printer on a port of this machine that behaves as it is told."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto

import anyio
from anyio.abc import SocketAttribute, SocketStream

READY = (
    b"\x02030,0,0,0319,000,0,0,0,000,0,0,0\x03\r\n"
    b"\x02001,0,0,0,1,2,6,0,00000000,1,000\x03\r\n"
    b"\x021234,0\x03\r\n"
)
"""As the ZPL II programming guide lays it out."""
PAPER_OUT = READY.replace(b"030,0,0", b"030,1,0")
PAUSED = READY.replace(b"030,0,0", b"030,0,1")
HEAD_OPEN = READY.replace(b"001,0,0", b"001,0,1")
RIBBON_OUT = READY.replace(b"001,0,0,0", b"001,0,0,1")


class Mood(Enum):
    """How it treats whoever connects."""

    GOOD = auto()
    SILENT = auto()
    """It lets in, and then does nothing."""
    DEAF = auto()
    """It says that it is ready, and takes nothing."""
    BREAKS_OFF = auto()
    """It is switched off in the middle of the label."""
    LEAVES = auto()
    """It hangs up in the middle of the label, as politely as after one."""
    RUNS_OUT = auto()
    """Its paper ends with this label."""
    SLOW = auto()


@dataclass
class VirtualPrinter:
    """What it has taken, whole labels alone."""

    port: int = 0
    mood: Mood = Mood.GOOD
    status: bytes = READY
    hangs_up: bool = True
    """Whether it closes when the label is whole, as not all do."""
    labels: list[bytes] = field(default_factory=list[bytes])
    asked: int = 0
    connections: int = 0
    changed: anyio.Event = field(default_factory=anyio.Event)

    async def until(self, labels: int) -> None:
        """Wait until it has taken so many."""
        while len(self.labels) < labels:
            await self.changed.wait()

    async def serve(self, stream: SocketStream) -> None:
        self.connections += 1
        async with stream:
            if self.mood is Mood.SILENT:
                await anyio.sleep_forever()
            taken = await self._ask_first(stream)
            if self.mood is Mood.DEAF:
                await anyio.sleep_forever()
            if self.mood in {Mood.BREAKS_OFF, Mood.LEAVES}:
                await stream.receive(16)
                if self.mood is Mood.BREAKS_OFF:
                    raw = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - not Django's
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            few = self.mood is Mood.SLOW
            try:
                while True:
                    taken += await stream.receive(200 if few else 65536)
                    if few:
                        await anyio.sleep(0.002)
                    if taken.endswith(b"~HS"):
                        taken = taken[:-3]
                        runs_out = self.mood is Mood.RUNS_OUT
                        await stream.send(PAPER_OUT if runs_out else self.status)
            except anyio.EndOfStream:
                self.labels.append(taken)
                self.changed.set()
                self.changed = anyio.Event()
                if not self.hangs_up:
                    await anyio.sleep_forever()

    async def _ask_first(self, stream: SocketStream) -> bytes:
        taken = await stream.receive(3)
        if taken != b"~HS":
            return taken
        self.asked += 1
        await stream.send(self.status)
        return b""


@asynccontextmanager
async def virtual_printer(mood: Mood = Mood.GOOD) -> AsyncGenerator[VirtualPrinter]:
    printer = VirtualPrinter(mood=mood)
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as group,
    ):
        printer.port = int(listener.extra(SocketAttribute.local_port))  # noqa: S610 - nor here
        group.start_soon(listener.serve, printer.serve)
        yield printer
        group.cancel_scope.cancel()
