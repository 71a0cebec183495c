"""Frames of every command that benchd can send, and the strict reading of their answers.

A frame is LEN CODE BODY; LEN counts itself, an answer's code is the command's plus one.
Handsets don't answer when a byte too many trails, so frames have their exact length. The
codes of this file are all there are: none of them writes, issues or asks for a key.
Source: FeliCa card user's manual; codes 1A, 1E, 22 from public catalogues of commands.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Generic, TypeVar

from benchd.devices.felica.protocol.chip_errors import AnotherChip, FrameInvalid, StatusRefused
from benchd.devices.felica.protocol.timing import TimingClass, command_timeout_s

IDM_BYTES: Final = 8
MOST_NODES: Final = 32
"""Nodes in one request."""
Reply = TypeVar("Reply")


class CommandCode(IntEnum):
    """Commands that only read."""

    POLLING = 0x00
    REQUEST_SERVICE = 0x02
    REQUEST_RESPONSE = 0x04
    READ_WITHOUT_ENCRYPTION = 0x06
    SEARCH_SERVICE_CODE = 0x0A
    REQUEST_SYSTEM_CODE = 0x0C
    REQUEST_BLOCK_INFORMATION = 0x0E
    REQUEST_CODE_LIST = 0x1A
    REQUEST_BLOCK_INFORMATION_EX = 0x1E
    GET_CONTAINER_ISSUE_INFORMATION = 0x22
    REQUEST_SERVICE_V2 = 0x32
    REQUEST_PRODUCT_INFORMATION = 0x3A
    REQUEST_SPECIFICATION_VERSION = 0x3C
    RESET_MODE = 0x3E


def seal(code: CommandCode, body: bytes) -> bytes:
    """A whole frame; ValueError where the body doesn't fit into one."""
    return bytes((len(body) + 2, CommandCode(code))) + body


def unseal(code: CommandCode, frame: bytes) -> bytes:
    """The body of an answer to this command; FrameInvalid unless it is exactly one frame."""
    if len(frame) < 2 or frame[0] != len(frame):
        raise FrameInvalid(f"answer to {code:02X}: {len(frame)} bytes, not one whole frame")
    if frame[1] != code + 1:
        raise FrameInvalid(f"answer to {code:02X}: response code {frame[1]:02X}")
    return frame[2:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(ABC, Generic[Reply]):
    """A command to one system of a chip, named by that system's IDm (8 bytes)."""

    code: ClassVar[CommandCode]
    timing: ClassVar[TimingClass] = TimingClass.FIXED

    idm: bytes

    def __post_init__(self) -> None:
        """Refuse what doesn't fit into a frame with ValueError."""
        need(len(self.idm) == IDM_BYTES, "an IDm has 8 bytes")
        self._check()

    @property
    def units(self) -> int:
        """How many nodes or blocks the chip has to look at, for its time."""
        return 0

    def timeout_s(self, pmm: bytes) -> float:
        """How long to wait for a chip with this PMm, in seconds."""
        return command_timeout_s(pmm, self.timing, self.units)

    def encode(self) -> bytes:
        """The whole frame."""
        return seal(self.code, self.idm + self._body())

    def decode(self, frame: bytes) -> Reply:
        """The answer's value.

        Raises FrameInvalid, AnotherChip when another IDm answers, or StatusRefused.
        """
        body = unseal(self.code, frame)
        if len(body) < IDM_BYTES:
            raise FrameInvalid(f"answer to {self.code:02X}: too short for an IDm")
        if body[:IDM_BYTES] != self.idm:
            raise AnotherChip(f"answer to {self.code:02X} comes from another IDm")
        return self._read(body[IDM_BYTES:])

    def _check(self) -> None:
        """ValueError where a value of the command's own doesn't fit into a frame."""

    def _body(self) -> bytes:
        return b""

    @abstractmethod
    def _read(self, body: bytes) -> Reply:
        """The value of what follows the IDm."""

    def _exact(self, body: bytes, size: int) -> bytes:
        if len(body) != size:
            message = f"answer to {self.code:02X}: {len(body)} bytes after the IDm, not {size}"
            raise FrameInvalid(message)
        return body

    def _counted(self, body: bytes, count: int, item_bytes: int) -> bytes:
        """The items that follow a count which must be the one that was asked for."""
        self._exact(body, 1 + count * item_bytes)
        if body[0] != count:
            raise FrameInvalid(f"answer to {self.code:02X}: {body[0]} items, not {count}")
        return body[1:]

    def _granted(self, body: bytes) -> bytes:
        """What follows two status flags that say yes."""
        if len(body) < 2:
            raise FrameInvalid(f"answer to {self.code:02X}: no status flags")
        if body[0]:
            self._exact(body, 2)
            raise StatusRefused(flag1=body[0], flag2=body[1])
        if body[1]:
            raise FrameInvalid(f"answer to {self.code:02X}: status flags 00 {body[1]:02X}")
        return body[2:]


def need(condition: bool, message: str) -> None:  # noqa: FBT001
    """ValueError unless the condition holds: a frame that benchd itself makes is wrong."""
    if not condition:
        raise ValueError(message)


def need_nodes(nodes: tuple[int, ...]) -> None:
    """ValueError unless these are 1 to 32 node codes."""
    need(1 <= len(nodes) <= MOST_NODES, f"1 to {MOST_NODES} nodes")
    need_words(*nodes)


def need_words(*values: int) -> None:
    """ValueError unless each value fits into two bytes."""
    need(all(0 <= value <= 0xFFFF for value in values), "values of two bytes")
