"""The packets of adb's second shell protocol: id (u8), length (u32, little-endian), payload.

Source: AOSP packages/modules/adb/shell_protocol.h. Only an exit packet is an answer; that a
stream ended is none.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from benchd.errors import AnswerNotRecognised

_HEADER: Final = struct.Struct("<BI")
LONGEST_PAYLOAD_BYTES: Final = 64 << 10


class PacketId(IntEnum):
    """What a packet carries."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    EXIT = 3
    CLOSE_STDIN = 4


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes that the command wrote; one packet may come as several of these."""

    data: bytes
    is_error: bool


@dataclass(frozen=True, slots=True)
class Exit:
    """The command has ended, with this code."""

    code: int


ShellEvent = Output | Exit


def stdin_packets(data: bytes) -> bytes:
    """The packets that carry these bytes to the command's standard input."""
    view = memoryview(data)
    return b"".join(
        _HEADER.pack(PacketId.STDIN, len(piece)) + piece
        for start in range(0, len(data), LONGEST_PAYLOAD_BYTES)
        if (piece := view[start : start + LONGEST_PAYLOAD_BYTES])
    )


def close_stdin_packet() -> bytes:
    """The packet that ends the command's standard input."""
    return _HEADER.pack(PacketId.CLOSE_STDIN, 0)


class PacketReader:
    """Takes a byte stream apart; holds back no more than one header, whatever a handset sends."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._packet: PacketId | None = None
        self._left = 0

    def feed(self, data: bytes) -> list[ShellEvent]:
        """The events that these bytes complete; raises AnswerNotRecognised for any other form."""
        events: list[ShellEvent] = []
        position = 0
        while position < len(data):
            if self._packet is None:
                missing = _HEADER.size - len(self._header)
                self._header += data[position : position + missing]
                position += missing
                if len(self._header) == _HEADER.size:
                    self._begin()
                continue
            piece = data[position : position + self._left]
            position += len(piece)
            self._left -= len(piece)
            if self._packet is PacketId.EXIT:
                events.append(Exit(piece[0]))
            else:
                events.append(Output(piece, self._packet is PacketId.STDERR))
            if self._left == 0:
                self._packet = None
        return events

    def _begin(self) -> None:
        number, length = _HEADER.unpack(self._header)
        self._header.clear()
        if number not in (PacketId.STDOUT, PacketId.STDERR, PacketId.EXIT):
            raise AnswerNotRecognised(f"a shell packet of the unknown kind {number}")
        if number == PacketId.EXIT and length != 1:
            raise AnswerNotRecognised(f"an exit packet of {length} bytes")
        if length:
            self._packet, self._left = PacketId(number), length
