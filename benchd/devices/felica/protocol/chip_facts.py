"""Commands that tell of a chip as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchd.devices.felica.protocol.chip_errors import FrameInvalid
from benchd.devices.felica.protocol.chip_frames import Command, CommandCode
from benchd.devices.felica.protocol.codes import little_endians
from benchd.devices.felica.protocol.timing import TimingClass


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestResponse(Command[int]):
    """The chip's mode: 0 after power-on, 1 and 2 after authentication, 3 while issuing."""

    code: ClassVar[CommandCode] = CommandCode.REQUEST_RESPONSE

    def _read(self, body: bytes) -> int:
        (mode,) = self._exact(body, 1)
        if mode > 3:
            raise FrameInvalid(f"answer to 04: mode {mode}")
        return mode


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerIssue:
    """What the maker of a handset had written into its chip."""

    carrier: bytes
    """5 bytes: version of the format, and the carrier."""
    model: str
    """The handset's model in up to 11 printable characters; what isn't one reads `?`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetContainerIssueInformation(Command[ContainerIssue]):
    """Carrier and model of the handset that the chip was made for."""

    code: ClassVar[CommandCode] = CommandCode.GET_CONTAINER_ISSUE_INFORMATION
    timing: ClassVar[TimingClass] = TimingClass.OTHER

    def _body(self) -> bytes:
        return bytes(2)

    def _read(self, body: bytes) -> ContainerIssue:
        self._exact(body, 16)
        model = "".join(
            chr(byte) if 0x20 <= byte < 0x7F else "?" for byte in body[5:].rstrip(b"\0")
        )
        return ContainerIssue(carrier=body[:5], model=model)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecificationVersion:
    """Versions of the card specification, each as four digits, for example `0510`."""

    basic: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSpecificationVersion(Command[SpecificationVersion]):
    """Which specification the chip follows."""

    code: ClassVar[CommandCode] = CommandCode.REQUEST_SPECIFICATION_VERSION

    def _body(self) -> bytes:
        return bytes(2)

    def _read(self, body: bytes) -> SpecificationVersion:
        data = self._granted(body)
        if len(data) < 4 or data[0] or len(data) != 4 + 2 * data[3]:
            raise FrameInvalid("answer to 3C: its length isn't that of its count")
        basic, *options = (f"{version:04X}" for version in little_endians(data[1:3] + data[4:]))
        if not all(version.isdecimal() for version in (basic, *options)):
            raise FrameInvalid("answer to 3C: a version isn't decimal")
        return SpecificationVersion(basic=basic, options=tuple(options))


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestProductInformation(Command[bytes]):
    """The chip's product information, whose meaning isn't public."""

    code: ClassVar[CommandCode] = CommandCode.REQUEST_PRODUCT_INFORMATION
    timing: ClassVar[TimingClass] = TimingClass.OTHER

    def _read(self, body: bytes) -> bytes:
        data = self._granted(body)
        if not data or len(data) != 1 + data[0]:
            raise FrameInvalid("answer to 3A: its length isn't that of its count")
        return data[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetMode(Command[None]):
    """Puts the chip back into mode 0; changes nothing that outlasts the field."""

    code: ClassVar[CommandCode] = CommandCode.RESET_MODE

    def _body(self) -> bytes:
        return bytes(2)

    def _read(self, body: bytes) -> None:
        self._exact(self._granted(body), 0)
