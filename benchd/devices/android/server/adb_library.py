"""What benchd uses of adbutils, without what adbutils downloads apps and takes screenshots with.

It imports `requests` for the one alone, with its certificates and character sets: 7 MB and 50 ms
of the processor in every daemon, none of which installs an app; and Pillow for the other, 2 MB.
Whoever else imports them gets the real ones.

It speaks to its server over TCP alone, which every user of the machine reaches; here it is given a
connection that is there already.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import ModuleType, SimpleNamespace

__all__ = ["AdbDevice", "AdbError", "AdbTimeout", "Wire"]


@contextmanager
def _left_out(name: str, **held: object) -> Generator[None]:
    """Who imports this module within the block gets one that holds no more than these names.

    Unless it is loaded already.
    """
    if name in sys.modules:
        yield
        return
    stand_in = ModuleType(name)
    vars(stand_in).update(held)
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        del sys.modules[name]


_IMAGE = SimpleNamespace(Image=object)
"""Named in annotations; nobody calls what would need more of it."""

with _left_out("requests"), _left_out("PIL", Image=_IMAGE, UnidentifiedImageError=ValueError):
    from adbutils import AdbClient, AdbConnection, AdbDevice, AdbError, AdbTimeout


class Wire:
    """One connection to the adb server for one question, and the way to end it from outside."""

    def __init__(self, opened: socket.socket, deadline_s: float) -> None:
        opened.settimeout(deadline_s)
        self._opened = opened
        self._lock = threading.Lock()

    def device(self, transport_id: int) -> AdbDevice:
        """The handset as adbutils sees it, over this wire."""
        return AdbDevice(_Client(self), transport_id=transport_id)

    def connection(self) -> AdbConnection:
        """The wire as adbutils has it."""
        return _Connection(self._opened, self)

    def cut(self) -> None:
        """Make a thread that waits on the socket return at once."""
        with self._lock, suppress(OSError):
            self._opened.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back to the system."""
        with self._lock:
            self._opened.close()


class _Connection(AdbConnection):
    """adbutils' connection, which connects nowhere and starts no adb server where there is none."""

    def __init__(self, opened: socket.socket, wire: Wire) -> None:
        self._opened = opened
        self._wire = wire
        super().__init__(_NOWHERE, 0)

    def _safe_connect(self) -> socket.socket:
        return self._opened

    def close(self) -> None:
        """Close without adbutils' pause of 10 ms."""
        self._wire.close()


class _Client(AdbClient):
    def __init__(self, wire: Wire) -> None:
        super().__init__(_NOWHERE, 1)
        self._wire = wire

    def make_connection(
        self,
        timeout: float | None = None,  # noqa: ARG002 - the wire has a deadline of its own
    ) -> AdbConnection:
        """A connection on the wire."""
        return self._wire.connection()


_NOWHERE = "-"
"""The server's host, for adbutils to keep: nobody connects to it."""
