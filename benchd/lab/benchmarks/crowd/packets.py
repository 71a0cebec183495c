"""The other end of adb's conversations: what an adb server and a handset's shell send.

Sources: AOSP packages/modules/adb, SERVICES.TXT and shell_protocol.h, and a recorded session of
Debian's adb 34.0.5 (`tests/lab/crowd/session.json`).
"""

from __future__ import annotations

import asyncio
import struct
from typing import Final

from benchd.devices.android.shell.packets import PacketId

OKAY: Final = b"OKAY"
MAXIMUM_REQUEST_BYTES: Final = 0xFFFF
_HEADER: Final = struct.Struct("<BI")


class Refused(Exception):
    """Raised for a request that an adb server answers with FAIL; the text is its reason."""


def block(text: str) -> bytes:
    """A text with its length in front."""
    encoded = text.encode()
    return b"%04x" % len(encoded) + encoded


def refusal(reason: str) -> bytes:
    """The answer to what isn't done."""
    return b"FAIL" + block(reason)


async def read_request(reader: asyncio.StreamReader) -> str | None:
    """The next request; None where the client has left instead."""
    try:
        size_bytes = int(await reader.readexactly(4), 16)
        return (await reader.readexactly(size_bytes)).decode(errors="replace")
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        return None


def packet(kind: PacketId, data: bytes) -> bytes:
    """One packet of the second shell protocol."""
    return _HEADER.pack(kind, len(data)) + data


def exit_packet(code: int) -> bytes:
    """How a command has ended."""
    return packet(PacketId.EXIT, bytes([code]))


class Stdin:
    """A command's standard input, as it arrives in packets."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def read(self) -> bytes | None:
        """The next piece; empty at its end, None where the client has left."""
        try:
            while True:
                number, size_bytes = _HEADER.unpack(await self._reader.readexactly(_HEADER.size))
                data = await self._reader.readexactly(size_bytes)
                if number == PacketId.CLOSE_STDIN:
                    return b""
                if number == PacketId.STDIN and data:
                    return data
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def until_left(self) -> None:
        """Read on until the client leaves; what it still sends is let go."""
        while await self.read() is not None:
            pass
