"""journald's native protocol: a log line as fields that `journalctl FIELD=VALUE` finds.

Source: systemd.io, "Native Journal Protocol". A datagram holds `KEY=value` lines; a value with
a line break in it has its length in front, as 64 bits, least significant byte first. What is too
long for a datagram goes as a sealed memory file.
"""

from __future__ import annotations

import array
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

JOURNAL_SOCKET: Final = Path("/run/systemd/journal/socket")
_LENGTH: Final = struct.Struct("<Q")
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


class JournalSocket:
    """Sends entries; never waits for journald, so that a stuck one doesn't stop the rack."""

    def __init__(self, path: Path = JOURNAL_SOCKET) -> None:
        self._path = os.fspath(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(0)

    def send(self, fields: Mapping[str, str]) -> bool:
        """Send one entry; False if journald isn't there or doesn't keep up."""
        data = encode(fields)
        try:
            self._socket.sendto(data, self._path)
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                return self._send_file(data)
            return False
        return True

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    def _send_file(self, data: bytes) -> bool:
        descriptor = os.memfd_create("benchd-journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(data)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))
            with suppress(OSError):
                self._socket.sendmsg([], [rights], 0, self._path)
                return True
            return False
        finally:
            os.close(descriptor)


def encode(fields: Mapping[str, str]) -> bytes:
    """One entry as journald reads it."""
    parts: list[bytes] = []
    for key, text in fields.items():
        value = text.encode(errors="replace")
        if b"\n" in value:
            parts += [key.encode(), b"\n", _LENGTH.pack(len(value)), value, b"\n"]
        else:
            parts += [key.encode(), b"=", value, b"\n"]
    return b"".join(parts)


def journal_stream_is(descriptor: int, environ: Mapping[str, str]) -> bool:
    """Whether this descriptor is connected to journald, as $JOURNAL_STREAM tells."""
    found = os.fstat(descriptor)
    return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
