"""Commands that tell which systems and nodes a chip has, without being told of any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchd.devices.felica.protocol.chip_errors import FrameInvalid
from benchd.devices.felica.protocol.chip_frames import Command, CommandCode, need_words
from benchd.devices.felica.protocol.codes import (
    Area,
    Node,
    Service,
    little_endian,
    little_endians,
    names_area,
)
from benchd.devices.felica.protocol.timing import TimingClass

_LAST = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSystemCode(Command[tuple[int, ...]]):
    """All system codes of a chip, one or more, each once."""

    code: ClassVar[CommandCode] = CommandCode.REQUEST_SYSTEM_CODE

    def _read(self, body: bytes) -> tuple[int, ...]:
        if not body or not body[0]:
            raise FrameInvalid("answer to 0C: no system")
        data = self._counted(body, body[0], 2)
        codes = tuple(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
        if len(set(codes)) != len(codes):
            raise FrameInvalid("answer to 0C: a system stands twice")
        return codes


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchServiceCode(Command[Node | None]):
    """The node with this index, counted from 0 with the root area; None after the last."""

    code: ClassVar[CommandCode] = CommandCode.SEARCH_SERVICE_CODE

    index: int

    def _check(self) -> None:
        need_words(self.index)

    def _body(self) -> bytes:
        return little_endian(self.index)

    def _read(self, body: bytes) -> Node | None:
        if len(body) == 4:
            return _area(body)
        (code,) = little_endians(self._exact(body, 2))
        return None if code == _LAST else _service(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeListPacket:
    """One part of a list of nodes."""

    areas: tuple[Area, ...]
    services: tuple[Service, ...]
    more: bool
    """Whether the list goes on in the packet with the next index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCodeList(Command[CodeListPacket]):
    """The nodes of an area, part by part; only chips of IC type 18 and up know it."""

    code: ClassVar[CommandCode] = CommandCode.REQUEST_CODE_LIST
    timing: ClassVar[TimingClass] = TimingClass.VARIABLE

    parent: int
    index: int

    def _check(self) -> None:
        need_words(self.parent, self.index)

    @property
    def units(self) -> int:
        """As many nodes as a full answer could hold, since nobody knows how many come."""
        return 120

    def _body(self) -> bytes:
        return little_endian(self.parent) + little_endian(self.index)

    def _read(self, body: bytes) -> CodeListPacket:
        data = self._granted(body)
        if len(data) < 3 or data[0] > 1:
            raise FrameInvalid("answer to 1A: no whole head")
        area_end = 2 + 4 * data[1]
        if len(data) <= area_end or len(data) != area_end + 1 + 2 * data[area_end]:
            raise FrameInvalid("answer to 1A: its length isn't that of its counts")
        return CodeListPacket(
            areas=tuple(_area(data[at : at + 4]) for at in range(2, area_end, 4)),
            services=tuple(map(_service, little_endians(data[area_end + 1 :]))),
            more=data[0] == 1,
        )


def _area(data: bytes) -> Area:
    start, end = little_endians(data)
    if start > end or not names_area(start):
        raise FrameInvalid(f"{start:04X}-{end:04X} is no area")
    return Area(start=start, end=end)


def _service(code: int) -> Service:
    if names_area(code):
        raise FrameInvalid(f"{code:04X} is no service")
    return Service(code=code)
