"""Polling: which chip is there. The only command that names no IDm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from benchd.devices.felica.protocol.chip_errors import AnotherChip, FrameInvalid
from benchd.devices.felica.protocol.chip_frames import CommandCode, need, need_words, seal, unseal
from benchd.devices.felica.protocol.timing import polling_timeout_s

BARE: Final = 0
"""Request code: only IDm and PMm."""
WITH_SYSTEM_CODE: Final = 1
WITH_PERFORMANCE: Final = 2
_SLOTS: Final = frozenset({1, 2, 4, 8, 16})
_PLAIN_FRAME: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What a chip says of itself."""

    idm: bytes
    """8 bytes; the high nibble of the first is the system's number on the chip."""
    pmm: bytes
    """8 bytes: ROM type, IC type and six times."""
    extra: int | None
    """The system code or the communication performance, as asked for."""

    @property
    def ic_type(self) -> int:
        """The chip's type, which names its generation."""
        return self.pmm[1]

    @property
    def chip(self) -> bytes:
        """The IDm without the number of the system: the same for all systems of a chip."""
        return bytes((self.idm[0] & 0x0F,)) + self.idm[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """Asks for a chip that has this system; FF in either byte stands for every value."""

    code: ClassVar[CommandCode] = CommandCode.POLLING

    system: int
    request: int = WITH_SYSTEM_CODE
    slots: int = 1
    """Time slots among which the chips choose: 1, 2, 4, 8 or 16."""

    def __post_init__(self) -> None:
        """Refuse what no chip answers with ValueError."""
        need_words(self.system)
        need(self.request in {BARE, WITH_SYSTEM_CODE, WITH_PERFORMANCE}, "request code 0, 1 or 2")
        need(self.slots in _SLOTS, "1, 2, 4, 8 or 16 slots")

    @property
    def timeout_s(self) -> float:
        """How long to wait for an answer, in seconds."""
        return polling_timeout_s(self.slots)

    def encode(self) -> bytes:
        """The whole frame; a system code stands in big-endian order."""
        return seal(
            self.code, self.system.to_bytes(2, "big") + bytes((self.request, self.slots - 1))
        )

    def decode(self, frame: bytes) -> Poll:
        """Who answers; raises FrameInvalid, or AnotherChip where two answers came."""
        size = _PLAIN_FRAME if self.request == BARE else _PLAIN_FRAME + 2
        if len(frame) == 2 * size and frame[:2] == frame[size : size + 2] == self._head(size):
            raise AnotherChip("two chips answered one Polling")
        body = unseal(self.code, frame)
        if len(frame) != size:
            raise FrameInvalid(f"answer to Polling: {len(frame)} bytes, not {size}")
        extra = int.from_bytes(body[16:], "big") if self.request != BARE else None
        return Poll(idm=body[:8], pmm=body[8:16], extra=extra)

    def _head(self, size: int) -> bytes:
        return bytes((size, self.code + 1))
