"""The packets of adb's second shell protocol: id (u8), length (u32, little-endian), payload.

Source: AOSP packages/modules/adb/shell_protocol.h. Only an exit packet is an answer; that a
stream ended is none.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from benchd.domain.errors import AnswerNotRecognised

_HEADER: Final = struct.Struct("<BI")
LONGEST_PAYLOAD_BYTES: Final = 64 << 10


class PacketId(IntEnum):
    """What a packet carries."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    EXIT = 3
    CLOSE_STDIN = 4


_OUTPUTS: Final = {
    number.value: number for number in (PacketId.STDOUT, PacketId.STDERR, PacketId.EXIT)
}


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes that the command wrote: a part of a packet, or many."""

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


@dataclass(frozen=True, slots=True)
class StdinPackets:
    """Bytes for a command's standard input, in their packets: what many handsets get is made once.

    Several megabytes at once for each of them are copied and joined otherwise.
    """

    pieces: tuple[bytes, ...]
    """Whole packets, as many as are sent at once."""


def packed(pieces: Iterable[bytes]) -> StdinPackets:
    """These bytes as they are sent: each piece at once."""
    return StdinPackets(tuple(map(stdin_packets, pieces)))


def close_stdin_packet() -> bytes:
    """The packet that ends the command's standard input."""
    return _HEADER.pack(PacketId.CLOSE_STDIN, 0)


class PacketReader:
    """Takes a byte stream apart; holds back no more than one header, whatever a handset sends."""

    def __init__(self) -> None:
        self.packets = 0
        """How many have begun so far."""
        self._header = b""
        self._packet: PacketId | None = None
        self._left = 0

    def feed(self, data: bytes) -> list[ShellEvent]:
        """What these bytes complete; raises AnswerNotRecognised for any other form.

        Each output is one event, however many packets it came in: no order holds between the two.
        """
        events: list[ShellEvent] = []
        outputs: dict[PacketId, list[bytes]] = {PacketId.STDOUT: [], PacketId.STDERR: []}
        position = 0
        while position < len(data):
            if self._packet is None:
                position = self._begin(data, position)
                continue
            piece = data[position : position + self._left]
            position += len(piece)
            self._left -= len(piece)
            if self._packet is PacketId.EXIT:
                events += _joined(outputs)
                events.append(Exit(piece[0]))
            else:
                outputs[self._packet].append(piece)
            if self._left == 0:
                self._packet = None
        return events + _joined(outputs)

    def _begin(self, data: bytes, position: int) -> int:
        """Take what there is of a header; returns where the rest begins."""
        taken = _HEADER.size - len(self._header)
        header = self._header + data[position : position + taken]
        if len(header) < _HEADER.size:
            self._header = header
            return len(data)
        self._header = b""
        number, length = _HEADER.unpack(header)
        packet = _OUTPUTS.get(number)
        if packet is None:
            raise AnswerNotRecognised(f"a shell packet of the unknown kind {number}")
        if packet is PacketId.EXIT and length != 1:
            raise AnswerNotRecognised(f"an exit packet of {length} bytes")
        self.packets += 1
        if length:
            self._packet, self._left = packet, length
        return position + taken


def _joined(outputs: dict[PacketId, list[bytes]]) -> list[ShellEvent]:
    """Each output that holds anything, once; they are empty afterwards."""
    events: list[ShellEvent] = [
        Output(b"".join(pieces), packet is PacketId.STDERR)
        for packet, pieces in outputs.items()
        if pieces
    ]
    for pieces in outputs.values():
        pieces.clear()
    return events
