"""The line between vpcd and a card: two bytes of length, big-endian, and a body, both ways.

vpcd listens, the card connects. A body of one byte is control; anything longer is an APDU.
Source: vsmartcard's documentation of its virtual reader.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

import anyio

POWER_OFF: Final = b"\x00"
POWER_ON: Final = b"\x01"
RESET: Final = b"\x02"
GET_ATR: Final = b"\x04"

LOST: Final = (OSError, EOFError)
"""What the line raises when vpcd has gone or wants no card here."""

_HARD: Final = struct.pack("ii", 1, 0)  # struct linger: close at once, with a reset


class VpcdLine:
    """A card's end of the line."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._received = b""
        self._owed: bytes | None = None

    @classmethod
    @asynccontextmanager
    async def connect(cls, port: int) -> AsyncGenerator[VpcdLine, None]:
        """A line to the vpcd at this port; vpcd takes it up when it looks for a card."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as line:
            line.settimeout(0)
            try:
                line.connect(("127.0.0.1", port))
            except BlockingIOError:
                await anyio.wait_writable(line)
            failure = line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failure:
                raise OSError(failure, os.strerror(failure))
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _HARD)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            found = cls(line)
            try:
                yield found
            finally:
                found.break_off()

    async def receive(self) -> bytes:
        """The next body; a cancelled call loses nothing."""
        body = None
        while body is None:
            body = self._taken()
            if body is None:
                await self._receive_some()
        if body == GET_ATR or len(body) > 1:
            self._owed = body
        return body

    async def send(self, body: bytes) -> None:
        """Answer."""
        data = len(body).to_bytes(2, "big") + body
        while data:
            try:
                data = data[self._line.send(data) :]
            except BlockingIOError:
                await anyio.wait_writable(self._line)
        self._owed = None

    async def leave_open(self) -> bool:
        """Wait until vpcd wants an answer, which it must not get any more.

        True if it was just looking whether a card is there; hanging up then says no.
        """
        while self._owed is None:
            await self.receive()
        return self._owed == GET_ATR

    def break_off(self) -> None:
        """Go away in the middle of an answer, if there is one to give.

        vpcd 3.3 takes a line that ends before an answer for an empty answer, with success; one
        that breaks within an answer makes it report an error, as a real reader does.
        """
        if self._owed is not None and self._owed != GET_ATR:
            with suppress(OSError):
                self._line.send(b"\x00\x02")

    def _taken(self) -> bytes | None:
        size = 2 + int.from_bytes(self._received[:2], "big")
        if len(self._received) < max(2, size):
            return None
        body, self._received = self._received[2:size], self._received[size:]
        return body

    async def _receive_some(self) -> None:
        await anyio.wait_readable(self._line)
        data = self._line.recv(65536)
        if not data:
            raise EOFError
        # vpcd sends length and body apart, and Nagle's algorithm holds the body back until the
        # length is acknowledged, which Linux delays by 40 ms. It has to be told anew each time.
        self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self._received += data
