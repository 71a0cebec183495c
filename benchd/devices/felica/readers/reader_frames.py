"""How each kind of contactless reader is handed a bare FeliCa frame. No I/O.

A frame begins with its own length byte. Sources: PC/SC part 3 supplement 2.02; ACS ACM1252U-Y3
and ACR122L reference manuals; Identiv CLOUD 4700F reference manual. None of it has been seen on
the readers themselves: the tests hold vectors made from these documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from benchd.domain.errors import ReaderFault

OK: Final = b"\x90\x00"
NO_ANSWER: Final = frozenset({b"\x63\x00", b"\x63\x01", b"\x64\x00", b"\x64\x01"})
"""Status words by which readers say that the chip answered nothing. SW 64 00 and 64 01: RC-S300;
63 00 and 63 01: ACS. Any other is a fault of the reader, never silence."""
LONGEST_FRAME: Final = 255
SHORTEST_TIMER_S: Final = 0.003
"""A timer that is shorter fails to read the IDm. Source: FRS."""
LONGEST_TIMER_S: Final = 10.0


class Channel(StrEnum):
    """By which call of PC/SC a reader takes its commands."""

    TRANSMIT = "transmit"
    """SCardTransmit: needs a chip that the reader itself has found."""
    ESCAPE = "escape"
    """SCardControl in direct mode: needs none, and libccid has to be told to let it through."""


class Wrapping(Protocol):
    """One dialect. Every method raises ReaderFault for an answer that isn't of this dialect."""

    @property
    def channel(self) -> Channel:
        """Which call takes the commands."""
        ...

    @property
    def begin(self) -> tuple[bytes, ...]:
        """What has to be sent before the first frame; switches the field on."""
        ...

    @property
    def field_off(self) -> tuple[bytes, ...]:
        """Switches the field off; empty where only taking the chip's power away does."""
        ...

    @property
    def end(self) -> tuple[bytes, ...]:
        """What has to be sent after the last frame."""
        ...

    def wrap(self, frame: bytes, timeout_s: float) -> bytes:
        """The reader's command that sends a frame and waits so long for the chip's answer."""
        ...

    def unwrap(self, reply: bytes) -> bytes | None:
        """The chip's frame in the reader's answer; None where the chip was silent."""
        ...

    def acknowledge(self, reply: bytes) -> None:
        """Returns when the answer to one of the other commands says that it was carried out."""
        ...


def _body(reply: bytes) -> bytes | None:
    """An answer without its status word; None where that says that the chip was silent."""
    status = reply[-2:]
    if status == OK:
        return reply[:-2]
    if status in NO_ANSWER:
        return None
    raise ReaderFault(f"the reader answered with status {status.hex(' ').upper() or 'nothing'}")


def _checked(frame: bytes) -> bytes:
    if not 2 <= len(frame) <= LONGEST_FRAME or frame[0] != len(frame):
        message = "a FeliCa frame begins with its own length"
        raise ValueError(message)
    return frame


class _Plain:
    """A dialect in which the frame is the data of one command, and its answer that of the reply."""

    channel = Channel.TRANSMIT
    begin: tuple[bytes, ...] = ()
    field_off: tuple[bytes, ...] = ()
    end: tuple[bytes, ...] = ()
    header: bytes

    def wrap(self, frame: bytes, timeout_s: float) -> bytes:  # noqa: ARG002 - the reader's own timer
        """The command that carries the frame."""
        return self.header + bytes([len(_checked(frame))]) + frame

    def unwrap(self, reply: bytes) -> bytes | None:
        """The chip's frame, or None."""
        body = _body(reply)
        return body or None

    def acknowledge(self, reply: bytes) -> None:
        """Returns when the status is 90 00."""
        if _body(reply) is None:
            raise ReaderFault("the reader refused a command")


class AcsDirect(_Plain):
    """ACR1251U, ACR1252U: `FF 00 00 00 Lc frame`. Source: ACM1252U-Y3 reference manual p. 45."""

    header = bytes.fromhex("FF000000")


class IdentivPassThrough(_Plain):
    """Identiv CLOUD and uTrust: `FF FE 00 00 Lc frame`. Source: CLOUD 4700F manual p. 44-45."""

    header = bytes.fromhex("FFFE0000")


class Acr122(_Plain):
    """ACR122U: a PN532 behind `FF 00 00 00`. Source: ACR122L manual, PN532 user manual.

    D4 42 (InCommunicateThru) carries frames of any kind, polls included; its answer has a
    status byte, 01 where the chip was silent.
    """

    header = bytes.fromhex("FF000000")
    begin = (bytes.fromhex("FF00000004D4320103"),)
    field_off = (bytes.fromhex("FF00000004D4320102"),)

    def wrap(self, frame: bytes, timeout_s: float) -> bytes:  # noqa: ARG002 - the reader's own timer
        """The command that carries the frame."""
        data = b"\xd4\x42" + _checked(frame)
        if len(data) > LONGEST_FRAME:
            message = "this reader takes no FeliCa frame longer than 253 bytes"
            raise ValueError(message)
        return self.header + bytes([len(data)]) + data

    def unwrap(self, reply: bytes) -> bytes | None:
        """The chip's frame, or None."""
        body = _body(reply)
        if body is None:
            return None
        if body[:2] != b"\xd5\x43" or len(body) < 3:
            raise ReaderFault("the reader's answer isn't one of a PN532")
        match body[2] & 0x3F:
            case 0x00:
                return body[3:] or None
            case 0x01:
                return None
            case error:
                raise ReaderFault(f"the reader's PN532 reports error {error:02X}")


@dataclass(frozen=True, slots=True)
class Transparent:
    """PC/SC part 3's transparent exchange (`FF C2`), with the frame in tag 95, its answer in 97."""

    channel: Channel = Channel.TRANSMIT
    # Start of a session, field on, FeliCa; frames follow the choice of FeliCa directly.
    begin: tuple[bytes, ...] = (
        bytes.fromhex("FFC2000002810000"),
        bytes.fromhex("FFC2000002840000"),
        bytes.fromhex("FFC20002048F02030000"),
    )
    field_off: tuple[bytes, ...] = (bytes.fromhex("FFC2000002830000"),)
    end: tuple[bytes, ...] = (bytes.fromhex("FFC2000002820000"),)

    def wrap(self, frame: bytes, timeout_s: float) -> bytes:
        """The command that carries the frame and the chip's time for it."""
        seconds = min(max(timeout_s, SHORTEST_TIMER_S), LONGEST_TIMER_S)
        timer = b"\x5f\x46\x04" + round(seconds * 1e6).to_bytes(4, "little")
        length = len(_checked(frame))
        size = bytes([length]) if length < 0x80 else bytes([0x81, length])
        data = timer + b"\x95" + size + frame
        if len(data) > LONGEST_FRAME:
            message = "this reader takes no FeliCa frame longer than 245 bytes"
            raise ValueError(message)
        return bytes.fromhex("FFC20001") + bytes([len(data)]) + data + b"\x00"

    def unwrap(self, reply: bytes) -> bytes | None:
        """The chip's frame, or None."""
        fields = self._fields(reply)
        if fields is None:
            return None
        status = fields.get(0x96, b"")
        answer = fields.get(0x97) or None
        if answer is None and status not in {b"", b"\x00\x00"} and status[0] & 0xFE:
            # Bit 0 of the first byte is a CRC error, which another try may mend as silence does.
            raise ReaderFault(f"the reader's answer has status {status.hex(' ').upper()}")
        return answer

    def acknowledge(self, reply: bytes) -> None:
        """Returns when the generic status is 90 00."""
        if self._fields(reply) is None:
            raise ReaderFault("the reader refused a command")

    def _fields(self, reply: bytes) -> dict[int, bytes] | None:
        body = _body(reply)
        fields = None if body is None else parse_tlv(body)
        if fields is None:
            return None
        generic = fields.get(0xC0)
        if generic is None or len(generic) != 3:
            raise ReaderFault("the reader's answer has no status (tag C0)")
        return None if _body(generic[1:]) is None else fields


def parse_tlv(data: bytes) -> dict[int, bytes]:
    """BER TLVs with tags of one or two bytes; ReaderFault where it isn't that."""
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        tag = data[at]
        at += 1
        if tag & 0x1F == 0x1F:
            tag = tag << 8 | _byte(data, at)
            at += 1
        length = _byte(data, at)
        at += 1
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 2 or at + size > len(data):
                raise ReaderFault("the reader's answer has a length that can't be")
            length = int.from_bytes(data[at : at + size])
            at += size
        if at + length > len(data):
            raise ReaderFault("the reader's answer ends in the middle of a field")
        if tag in fields:
            raise ReaderFault("the reader's answer has a field twice")
        fields[tag] = data[at : at + length]
        at += length
    return fields


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise ReaderFault("the reader's answer ends in the middle of a field")
    return data[at]


WRAPPINGS: Final[dict[str, Wrapping]] = {
    "acs_direct": AcsDirect(),
    "acr122": Acr122(),
    "identiv": IdentivPassThrough(),
    "transparent": Transparent(),
    "transparent_escape": Transparent(channel=Channel.ESCAPE),
}
"""By the names that readers.toml uses."""
