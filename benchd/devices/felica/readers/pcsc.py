"""The edge to pyscard: PC/SC calls with types, and its return codes as exceptions.

One context belongs to one thread. Nothing here can be cancelled: a chip that never answers
keeps the thread that asked it.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchd.devices.felica.readers.reader_frames import Channel
from benchd.domain.errors import ReaderFault, ReaderGone

ESCAPE_CODE: Final = 0x42000001  # SCARD_CTL_CODE(1)
USB_PATH_CODE: Final = 0x42000E11  # SCARD_CTL_CODE(3601), libccid 1.7.1 and later
ATTRIBUTE_CHANNEL_ID: Final = 0x20110
ANY_CHANGE_OF_READERS: Final = "\\\\?PnP?\\Notification"

_STATES_AT_ONCE: Final = 15
"""pcscd before 2.5 takes no more than sixteen."""

SERVICE_LOST: Final = frozenset({0x8010001D, 0x8010001E, 0x80100013, 0x80100003})
"""No service, service stopped, communication error, stale context: all calls begin anew."""
READER_AWAY: Final = frozenset({0x80100009, 0x80100017, 0x8010002E})
NO_CHIP: Final = frozenset({0x8010000C, 0x80100066, 0x80100067, 0x80100069})
"""No card, unresponsive, unpowered, removed."""
NO_READERS_AT_ALL: Final = 0x8010002E
TIMED_OUT: Final = 0x8010000A
NOT_ALLOWED: Final = 0x8010006A
SHARING: Final = 0x8010000B


class ServiceLost(ReaderGone):
    """Raised when pcscd is away or has been restarted: the context is of no more use."""


class NoChip(ReaderFault):
    """Raised where the reader has no chip that it could talk to; a session knows what it means."""


class Taken(ReaderFault):
    """Raised where another program has the reader for itself."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A reader that this program has taken."""

    handle: int
    protocol: int
    channel: Channel


# pyscard has no types; every value that comes from it is converted where it arrives.
_scard: Any = importlib.import_module("smartcard.scard")


def _never_destroyed() -> None:
    """Keep what SWIG has registered until the process is gone.

    pyscard's destructor makes a new object at an interpreter's end, when there is no type left
    to make it of: a segmentation fault (seen with pyscard 2.3.1 on Python 3.11 and 3.13).
    """
    for name in [name for name in sys.modules if name.startswith("swig_runtime_data")]:
        capsule = ctypes.py_object(vars(sys.modules[name])["type_pointer_capsule"])
        ctypes.pythonapi.Py_IncRef(capsule)


_never_destroyed()


class Context:
    """A connection to pcscd."""

    def __init__(self) -> None:
        """Raises ServiceLost where there is no pcscd, or one that doesn't let this user in."""
        code, handle = _scard.SCardEstablishContext(_scard.SCARD_SCOPE_SYSTEM)
        _raise_for(code)
        self._handle: int = handle

    def close(self) -> None:
        """Let go of pcscd; never raises."""
        _scard.SCardReleaseContext(self._handle)

    def readers(self) -> tuple[str, ...]:
        """The names of all readers that pcscd knows now."""
        code, names = _scard.SCardListReaders(self._handle, [])
        if _code(code) == NO_READERS_AT_ALL:
            return ()
        _raise_for(code)
        return tuple(str(name) for name in names)

    def wait_for_readers(self, state: int) -> int:
        """Wait for a reader to come or go after `state` (0 at first); returns the next state."""
        code, states = _scard.SCardGetStatusChange(
            self._handle, _scard.INFINITE, [(ANY_CHANGE_OF_READERS, state)]
        )
        if _code(code) == TIMED_OUT:  # pyscard's longest wait is 25 days
            return state
        _raise_for(code)
        # The upper half counts events since pcsc-lite 2.3; without it the call returns at once.
        return int(states[0][1]) & 0xFFFF0000

    def wait_for_chip(self, reader: str, timeout_s: float) -> None:
        """Wait until the reader has found a chip, or for so long."""
        state = _scard.SCARD_STATE_UNAWARE
        code, states = _scard.SCardGetStatusChange(self._handle, 0, [(reader, state)])
        if _code(code) == 0 and not int(states[0][1]) & _scard.SCARD_STATE_PRESENT:
            seen = int(states[0][1]) & ~_scard.SCARD_STATE_CHANGED
            code, _ = _scard.SCardGetStatusChange(
                self._handle, round(timeout_s * 1000), [(reader, seen)]
            )
        if _code(code) != TIMED_OUT:
            _raise_for(code)

    def with_chip(self, readers: Sequence[str]) -> frozenset[str]:
        """Those of the readers that have found a chip or a card; returns at once."""
        found: set[str] = set()
        for first in range(0, len(readers), _STATES_AT_ONCE):
            asked = [
                (name, _scard.SCARD_STATE_UNAWARE)
                for name in readers[first : first + _STATES_AT_ONCE]
            ]
            code, states = _scard.SCardGetStatusChange(self._handle, 0, asked)
            _raise_for(code)
            found |= {str(s[0]) for s in states if int(s[1]) & _scard.SCARD_STATE_PRESENT}
        return frozenset(found)

    def connect(self, reader: str, channel: Channel) -> Connection:
        """Take the reader for this program alone; NoChip where it has none and needs one."""
        if channel is Channel.ESCAPE:
            share, protocols = _scard.SCARD_SHARE_DIRECT, _scard.SCARD_PROTOCOL_UNDEFINED
        else:
            share = _scard.SCARD_SHARE_EXCLUSIVE
            protocols = _scard.SCARD_PROTOCOL_T0 | _scard.SCARD_PROTOCOL_T1
        code, handle, protocol = _scard.SCardConnect(self._handle, reader, share, protocols)
        _raise_for(code)
        return Connection(handle, protocol, channel)

    def call(self, connection: Connection, command: bytes) -> bytes:
        """Send one command and wait for its answer, for as long as the driver takes."""
        if connection.channel is Channel.ESCAPE:
            code, answer = _scard.SCardControl(connection.handle, ESCAPE_CODE, list(command))
        else:
            pci = (
                _scard.SCARD_PCI_T0
                if connection.protocol == _scard.SCARD_PROTOCOL_T0
                else _scard.SCARD_PCI_T1
            )
            code, answer = _scard.SCardTransmit(connection.handle, pci, list(command))
        _raise_for(code)
        return bytes(answer)

    def disconnect(self, connection: Connection) -> None:
        """Let go of the reader and take the chip's power; never raises."""
        _scard.SCardDisconnect(connection.handle, _scard.SCARD_UNPOWER_CARD)

    def release(self, connection: Connection) -> None:
        """Let go of the reader and leave its chip as it is; never raises.

        To take the power resets the chip for other programs. pcscd (seen with 2.3.3) then also
        notes the reader as "present", and for good where the chip was lifted in that moment.
        """
        _scard.SCardDisconnect(connection.handle, _scard.SCARD_LEAVE_CARD)

    def usb_path(self, connection: Connection) -> str | None:
        """What the driver calls the reader's USB interface, `1-4.2.3:1.0`; None on older ones."""
        code, answer = _scard.SCardControl(connection.handle, USB_PATH_CODE, [])
        if _code(code) != 0:
            return None
        return bytes(answer).split(b"\0")[0].decode("ascii", "replace")

    def channel_id(self, connection: Connection) -> int | None:
        """The driver's channel id, `0x0020 << 16 | bus << 8 | address` on USB; None without one."""
        code, answer = _scard.SCardGetAttrib(connection.handle, ATTRIBUTE_CHANNEL_ID)
        if _code(code) != 0 or len(answer) != 4:
            return None
        return int.from_bytes(bytes(answer), "little")


def _code(code: int) -> int:
    return int(code) & 0xFFFFFFFF


def _raise_for(returned: int) -> None:
    code = _code(returned)
    if code == 0:
        return
    if code in SERVICE_LOST:
        raise ServiceLost("pcscd is away")
    if code == NOT_ALLOWED:
        raise ServiceLost("pcscd doesn't let this user in: a polkit rule is missing")
    if code in READER_AWAY:
        raise ReaderGone("pcscd doesn't know the reader any more")
    if code in NO_CHIP:
        raise NoChip("the reader has no chip")
    if code == SHARING:
        raise Taken("another program has taken the reader")
    raise ReaderFault(f"PC/SC error 0x{code:08X}")
