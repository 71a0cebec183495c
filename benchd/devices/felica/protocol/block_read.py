"""Read Without Encryption: blocks of services that are open to everybody.

A scan never sends it: block contents are somebody's data, and a verdict needs none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from benchd.devices.felica.protocol.chip_errors import FrameInvalid
from benchd.devices.felica.protocol.chip_frames import Command, CommandCode, need, need_words
from benchd.devices.felica.protocol.codes import little_endian
from benchd.devices.felica.protocol.timing import TimingClass

BLOCK_BYTES: Final = 16
MOST_BLOCKS: Final = 15
_MOST_SERVICES: Final = 16
_SHORT_ELEMENT: Final = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of one of the services that a request names."""

    service_index: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadWithoutEncryption(Command[tuple[bytes, ...]]):
    """The blocks, 16 bytes each, in the order that they were asked for."""

    code: ClassVar[CommandCode] = CommandCode.READ_WITHOUT_ENCRYPTION
    timing: ClassVar[TimingClass] = TimingClass.READ

    services: tuple[int, ...]
    """1 to 16 service codes."""
    blocks: tuple[Block, ...]
    """1 to 15 blocks."""

    def _check(self) -> None:
        need(1 <= len(self.services) <= _MOST_SERVICES, f"1 to {_MOST_SERVICES} services")
        need(1 <= len(self.blocks) <= MOST_BLOCKS, f"1 to {MOST_BLOCKS} blocks")
        need_words(*self.services, *(block.number for block in self.blocks))
        for block in self.blocks:
            need(0 <= block.service_index < len(self.services), "an index of a named service")

    @property
    def units(self) -> int:
        """The number of blocks."""
        return len(self.blocks)

    def _body(self) -> bytes:
        return (
            bytes((len(self.services),))
            + b"".join(map(little_endian, self.services))
            + bytes((len(self.blocks),))
            + b"".join(map(_element, self.blocks))
        )

    def _read(self, body: bytes) -> tuple[bytes, ...]:
        data = self._granted(body)
        if len(data) != 1 + BLOCK_BYTES * len(self.blocks) or data[0] != len(self.blocks):
            raise FrameInvalid("answer to 06: not the blocks that were asked for")
        return tuple(data[at : at + BLOCK_BYTES] for at in range(1, len(data), BLOCK_BYTES))


def _element(block: Block) -> bytes:
    if block.number < 0x100:
        return bytes((_SHORT_ELEMENT | block.service_index, block.number))
    return bytes((block.service_index,)) + little_endian(block.number)
