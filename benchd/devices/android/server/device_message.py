"""The adb server's list of transports in its binary form, which no serial can break into lines.

AOSP adb, `proto/adb_host.proto`, `message Devices`; adb has it from 35.0.2 on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from benchd.devices.android.adb import AdbAddress, AdbServerLost
from benchd.devices.android.server.device_list import ListedTransport
from benchd.domain.port import Liveness

LIVENESS_OF_NUMBER: Final[Mapping[int, Liveness]] = MappingProxyType(
    {
        3: Liveness.UNAUTHORIZED,
        4: Liveness.NO_PERMISSION,
        7: Liveness.WRONG_MODE,  # bootloader
        8: Liveness.READY,
        9: Liveness.WRONG_MODE,  # host
        10: Liveness.WRONG_MODE,  # recovery
        11: Liveness.WRONG_MODE,  # sideload
        12: Liveness.WRONG_MODE,  # rescue
    }
)
"""`enum ConnectionState`; whatever else it says, e.g. connecting or detached, is OFFLINE."""

_DEVICE: Final = 1
_SERIAL: Final = 1
_STATE: Final = 2
_BUS_ADDRESS: Final = 3
_TRANSPORT_ID: Final = 10

_VARINT: Final = 0
_BYTES: Final = 2
_FIXED_SIZES: Final[Mapping[int, int]] = MappingProxyType({1: 8, 5: 4})
_LONGEST_VARINT: Final = 10


def read_device_message(data: bytes) -> dict[AdbAddress, ListedTransport]:
    """The transports by address; of two at one, e.g. around a replug, the later."""
    listed = [
        _transport(value)
        for number, value in _fields(data)
        if number == _DEVICE and isinstance(value, bytes)
    ]
    return {found.address: found for found in sorted(listed, key=lambda one: one.transport_id)}


def _transport(data: bytes) -> ListedTransport:
    fields = dict(_fields(data))
    return ListedTransport(
        address=AdbAddress(_text(fields.get(_BUS_ADDRESS)) or _text(fields.get(_SERIAL))),
        liveness=LIVENESS_OF_NUMBER.get(_number(fields.get(_STATE)), Liveness.OFFLINE),
        transport_id=_number(fields.get(_TRANSPORT_ID)),
    )


def _text(value: bytes | int | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""


def _number(value: bytes | int | None) -> int:
    return value if isinstance(value, int) else 0


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """The fields of one message, by Protocol Buffers' wire format; fixed-size ones are skipped."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        kind = key & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size_bytes, position = _varint(data, position)
        elif kind in _FIXED_SIZES:
            size_bytes = _FIXED_SIZES[kind]
        else:
            raise AdbServerLost("the adb server's list is garbled")
        if position + size_bytes > len(data):
            raise AdbServerLost("the adb server's list is cut off")
        if kind == _BYTES:
            yield key >> 3, data[position : position + size_bytes]
        position += size_bytes


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[position : position + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, position + index + 1
    raise AdbServerLost("the adb server's list is garbled")
