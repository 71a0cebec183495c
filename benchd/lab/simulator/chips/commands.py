"""The FeliCa commands that virtual chips know, answered byte for byte.

Whatever isn't exactly one of them raises Silence: a real chip says nothing either. Layouts are
those of public analyses of cards and phones; commands 1A and 22 aren't in the maker's documents.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from benchd.lab.simulator.chips.chip_nodes import ABSENT, BLOCK_BYTES, ChipSystemState
from benchd.lab.simulator.chips.profiles import IcProfile

POLLING: Final = 0x00

_SLOTS: Final = frozenset({0x00, 0x01, 0x03, 0x07, 0x0F})
_PERFORMANCE: Final = bytes.fromhex("0083")  # 212 and 424 kbit/s, by itself
_MOST_NODES: Final = 32
_MOST_SERVICES: Final = 16
_MOST_BLOCKS: Final = 15
_CODES_IN_PACKET: Final = 24
_KEY_VERSION: Final = 0x0001
_FREE_BLOCKS: Final = 1275  # of a phone's common area nobody uses
_DES_AND_AES: Final = 0x41
_OK: Final = bytes(2)


class Silence(Exception):
    """Raised where a chip gives no answer."""


class ChipView(Protocol):
    """What a command sees of its chip."""

    ic: IcProfile
    systems: tuple[ChipSystemState, ...]
    mode: int

    def idm(self, system: ChipSystemState) -> bytes:
        """The system's own identifier, 8 bytes."""
        ...


class Fields:
    """The bytes of a command, one field after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, count: int) -> bytes:
        """So many bytes."""
        if count > len(self._data):
            raise Silence
        found, self._data = self._data[:count], self._data[count:]
        return found

    def byte(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def word(self) -> int:
        """Two bytes, little-endian."""
        return int.from_bytes(self.take(2), "little")

    def words(self) -> list[int]:
        """How many as a byte, then so many words."""
        count = self.byte()
        if not 1 <= count <= _MOST_NODES:
            raise Silence
        return [self.word() for _ in range(count)]

    def end(self) -> None:
        """Nothing may follow."""
        if self._data:
            raise Silence

    def zeros(self) -> None:
        """Two reserved bytes, then nothing."""
        if self.take(2) != bytes(2):
            raise Silence
        self.end()


def poll(chip: ChipView, fields: Fields) -> bytes:
    """Polling: the first system that the code fits, in which FF fits any byte."""
    wanted, request, slots = fields.take(2), fields.byte(), fields.byte()
    fields.end()
    if slots not in _SLOTS or request > 2:
        raise Silence
    for system in chip.systems:
        code = system.code.to_bytes(2, "big")
        if all(want in (0xFF, have) for want, have in zip(wanted, code, strict=True)):
            extra = (b"", code, _PERFORMANCE)[request]
            return chip.idm(system) + bytes.fromhex(chip.ic.pmm) + extra
    raise Silence


def _request_service(_: ChipView, system: ChipSystemState, fields: Fields) -> bytes:
    codes = fields.words()
    fields.end()
    return bytes([len(codes)]) + _key_versions(system, codes)


def _request_service_v2(_: ChipView, system: ChipSystemState, fields: Fields) -> bytes:
    codes = fields.words()
    fields.end()
    versions = _key_versions(system, codes)
    return _OK + bytes([_DES_AND_AES, len(codes)]) + versions + versions


def _key_versions(system: ChipSystemState, codes: list[int]) -> bytes:
    return b"".join(
        struct.pack("<H", ABSENT if code != ABSENT and system.node(code) is None else _KEY_VERSION)
        for code in codes
    )


def _request_response(chip: ChipView, _: ChipSystemState, fields: Fields) -> bytes:
    fields.end()
    return bytes([chip.mode])


def _search_service_code(_: ChipView, system: ChipSystemState, fields: Fields) -> bytes:
    index = fields.word()
    fields.end()
    return system.nodes[index].wire if index < len(system.nodes) else b"\xff\xff"


def _request_system_code(chip: ChipView, _: ChipSystemState, fields: Fields) -> bytes:
    fields.end()
    codes = b"".join(system.code.to_bytes(2, "big") for system in chip.systems)
    return bytes([len(chip.systems)]) + codes


def _block_information(_: ChipView, system: ChipSystemState, fields: Fields) -> bytes:
    """Of an area the free blocks, of a service its own."""
    codes = fields.words()
    fields.end()
    used = sum(node.blocks for node in system.nodes)
    counts: list[int] = []
    for code in codes:
        node = system.node(code)
        if node is None:
            counts.append(ABSENT)
        else:
            counts.append(node.blocks if node.last is None else max(0, _FREE_BLOCKS - used))
    return bytes([len(counts)]) + b"".join(struct.pack("<H", count) for count in counts)


def _code_list(chip: ChipView, system: ChipSystemState, fields: Fields) -> bytes:
    """The area and all below it, in packets; the flag says that another one follows."""
    parent, packet = fields.word(), fields.word()
    fields.end()
    start = max(0, packet - chip.ic.first_packet) * _CODES_IN_PACKET
    found = system.below(parent)
    if start >= len(found):
        return b"\xff\xa6"
    piece = found[start : start + _CODES_IN_PACKET]
    more = start + len(piece) < len(found)
    areas = [node.wire for node in piece if node.last is not None]
    services = [node.wire for node in piece if node.last is None]
    return b"".join((_OK, bytes([more, len(areas)]), *areas, bytes([len(services)]), *services))


def _container_issue_information(_: ChipView, system: ChipSystemState, fields: Fields) -> bytes:
    del system
    fields.zeros()
    return bytes.fromhex("0000000001") + b"VIRTUAL\0\0\0\0"


def _product_information(chip: ChipView, _: ChipSystemState, fields: Fields) -> bytes:
    fields.end()
    data = bytes.fromhex(chip.ic.product)
    return _OK + bytes([len(data)]) + data


def _specification_version(chip: ChipView, _: ChipSystemState, fields: Fields) -> bytes:
    fields.zeros()
    version = bytes.fromhex(chip.ic.specification)[::-1]
    return _OK + bytes(1) + version + bytes([1]) + version


def _reset_mode(chip: ChipView, _: ChipSystemState, fields: Fields) -> bytes:
    fields.zeros()
    chip.mode = 0
    return _OK


def _read(_: ChipView, system: ChipSystemState, fields: Fields) -> bytes:
    """Read Without Encryption. Whatever is asked for, the data is zeros."""
    services = [fields.word() for _ in range(fields.byte())]
    elements = [_block_element(fields) for _ in range(fields.byte())]
    fields.end()
    if not 1 <= len(services) <= _MOST_SERVICES:
        return b"\xff\xa1"
    if not 1 <= len(elements) <= _MOST_BLOCKS:
        return b"\xff\xa2"
    refusal = _refusal(system, services, elements)
    return refusal or _OK + bytes([len(elements)]) + bytes(BLOCK_BYTES * len(elements))


def _refusal(
    system: ChipSystemState, services: list[int], elements: list[tuple[int, int]]
) -> bytes | None:
    blocks: list[int] = []
    for code in services:
        node = system.node(code)
        if node is None or node.last is not None:
            return b"\xff\xa6"
        if not node.open:
            return b"\xff\xa5"
        blocks.append(node.blocks)
    for place, (index, block) in enumerate(elements, start=1):
        if index >= len(services):
            return bytes([place, 0xA3])
        if block >= blocks[index]:
            return bytes([place, 0xA8])
    return None


def _block_element(fields: Fields) -> tuple[int, int]:
    """Which of the services, which block: two bytes, or three without the top bit."""
    head = fields.byte()
    return head & 0x0F, fields.byte() if head & 0x80 else fields.word()


COMMANDS: Final[Mapping[int, Callable[[ChipView, ChipSystemState, Fields], bytes]]] = (
    MappingProxyType(
        {
            0x02: _request_service,
            0x04: _request_response,
            0x06: _read,
            0x0A: _search_service_code,
            0x0C: _request_system_code,
            0x0E: _block_information,
            0x1A: _code_list,
            0x22: _container_issue_information,
            0x32: _request_service_v2,
            0x3A: _product_information,
            0x3C: _specification_version,
            0x3E: _reset_mode,
        }
    )
)
"""All but Polling: from a system and what follows its IDm to what follows it in the answer."""
