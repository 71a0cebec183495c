"""Commands that tell of nodes which the request names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from benchd.devices.felica.protocol.chip_errors import FrameInvalid
from benchd.devices.felica.protocol.chip_frames import Command, CommandCode, need_nodes
from benchd.devices.felica.protocol.codes import little_endian, little_endians
from benchd.devices.felica.protocol.timing import TimingClass

Reply = TypeVar("Reply")
_ABSENT = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class _NodeCommand(Command[Reply], Generic[Reply]):
    timing: ClassVar[TimingClass] = TimingClass.VARIABLE

    nodes: tuple[int, ...]
    """1 to 32 codes of areas (their start) or services."""

    def _check(self) -> None:
        need_nodes(self.nodes)

    @property
    def units(self) -> int:
        """The number of nodes."""
        return len(self.nodes)

    def _body(self) -> bytes:
        return bytes((len(self.nodes),)) + b"".join(map(little_endian, self.nodes))


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestService(_NodeCommand[tuple[int | None, ...]]):
    """The key version of each node in order; None where the chip doesn't have it."""

    code: ClassVar[CommandCode] = CommandCode.REQUEST_SERVICE

    def _read(self, body: bytes) -> tuple[int | None, ...]:
        return _versions(self._counted(body, len(self.nodes), 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVersions:
    """Key versions by cipher, each None where the chip doesn't have the node."""

    encryption: int
    aes: tuple[int | None, ...]
    des: tuple[int | None, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestServiceV2(_NodeCommand[KeyVersions]):
    """The key versions of each node in order, for AES and where the chip has it for DES."""

    code: ClassVar[CommandCode] = CommandCode.REQUEST_SERVICE_V2

    def _read(self, body: bytes) -> KeyVersions:
        data = self._granted(body)
        size = 2 * len(self.nodes)
        if len(data) not in {2 + size, 2 + 2 * size} or data[1] != len(self.nodes):
            raise FrameInvalid("answer to 32: not the nodes that were asked for")
        des = _versions(data[2 + size :]) if len(data) > 2 + size else None
        return KeyVersions(encryption=data[0], aes=_versions(data[2 : 2 + size]), des=des)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBlockInformation(_NodeCommand[tuple[int, ...]]):
    """Free blocks of each area and assigned blocks of each service, in order."""

    code: ClassVar[CommandCode] = CommandCode.REQUEST_BLOCK_INFORMATION

    def _read(self, body: bytes) -> tuple[int, ...]:
        return little_endians(self._counted(body, len(self.nodes), 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCounts:
    """Blocks of 16 bytes of one node."""

    assigned: int
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBlockInformationEx(_NodeCommand[tuple[BlockCounts, ...]]):
    """Assigned and free blocks of each node in order."""

    code: ClassVar[CommandCode] = CommandCode.REQUEST_BLOCK_INFORMATION_EX

    def _read(self, body: bytes) -> tuple[BlockCounts, ...]:
        counts = little_endians(self._counted(self._granted(body), len(self.nodes), 4))
        return tuple(
            BlockCounts(assigned=assigned, free=free)
            for assigned, free in zip(counts[::2], counts[1::2], strict=True)
        )


def _versions(data: bytes) -> tuple[int | None, ...]:
    return tuple(None if version == _ABSENT else version for version in little_endians(data))
