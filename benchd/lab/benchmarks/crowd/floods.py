"""What a handset of the crowd floods its host with, and for as long as the host stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from benchd.devices.android.shell.packets import PacketId
from benchd.lab.benchmarks.crowd.packets import Stdin, packet

LINES_PER_S: Final = 100_000
LISTS_PER_S: Final = 1_000
ANSWER_BYTES: Final = 1 << 20
EVERY_S: Final = 0.01
PIECE_BYTES: Final = 64 << 10
_LINE: Final = (
    json.dumps({"event": "progress", "bytes": 1, "elapsed_s": 1}, separators=(",", ":")).encode()
    + b"\n"
)


class Flood(StrEnum):
    """Of which kind it is."""

    LINES = "lines"
    """100,000 lines a second on the fill program's output."""
    ENDLESS = "endless"
    """A line of it that has no end, as fast as it is taken."""
    PACKETS = "packets"
    """Packets of nothing on that output, as fast as they are taken."""
    ANSWERS = "answers"
    """A megabyte more in one of each script's answers."""
    FLAPS = "flaps"
    """A list of devices that changes a thousand times a second."""


_PIECES: Final[Mapping[Flood, bytes]] = MappingProxyType(
    {
        Flood.LINES: packet(PacketId.STDOUT, _LINE * int(LINES_PER_S * EVERY_S)),
        Flood.ENDLESS: packet(PacketId.STDOUT, b"x" * PIECE_BYTES),
        Flood.PACKETS: packet(PacketId.STDOUT, b"") * (PIECE_BYTES // 5),
    }
)
OF_THE_PROGRAM: Final = frozenset(_PIECES)
"""Those that come instead of the fill program's lines."""


async def flood_output(kind: Flood, stdin: Stdin, writer: asyncio.StreamWriter) -> None:
    """Write to a command's output until its host leaves."""
    piece = _PIECES[kind]
    left = asyncio.create_task(stdin.until_left())
    try:
        while not left.done():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(EVERY_S if kind is Flood.LINES else 0)
    except ConnectionError:
        pass
    finally:
        left.cancel()
        await asyncio.wait((left,))


def padded(text: bytes) -> bytes:
    """An answer that has a megabyte more, of what most readers pass over."""
    return text + b"\n" * ANSWER_BYTES
