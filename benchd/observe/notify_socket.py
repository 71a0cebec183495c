"""systemd's notify socket: what the service says of itself, in datagrams of `KEY=VALUE` lines.

Source: sd_notify(3). Nothing here raises. What is said again anyway doesn't wait for a service
manager that is slow; a change of state does, for a moment.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

LONGEST_STATUS: Final = 200
STATE_WAIT_S: Final = 1.0


class Notifier:
    """Talks to the service manager; where there is none, to nobody."""

    def __init__(self, address: str | None) -> None:
        """`address` is a path, or a name that begins with `@` in the abstract namespace."""
        self._address = _socket_address(address)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Notifier:
        """The service manager that this environment names."""
        return cls(environ.get("NOTIFY_SOCKET"))

    def ready(self) -> None:
        """The start, or a reload, is over."""
        self._tell("READY=1", wait_s=STATE_WAIT_S)

    def reloading(self) -> None:
        """The configuration is being read again; `ready` ends that."""
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell("RELOADING=1", f"MONOTONIC_USEC={now_us}", wait_s=STATE_WAIT_S)

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1", wait_s=STATE_WAIT_S)

    def alive(self) -> None:
        """Feed the watchdog."""
        self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        """The line that `systemctl status` shows."""
        self._tell(f"STATUS={' '.join(text.split())[:LONGEST_STATUS]}")

    def _tell(self, *lines: str, wait_s: float = 0.0) -> None:
        if self._address is None:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
            link.settimeout(wait_s)
            link.sendto("\n".join(lines).encode(errors="replace"), self._address)


def watchdog_interval_s(environ: Mapping[str, str]) -> float | None:
    """How often the service manager wants to hear of this process, None if it doesn't."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    interval_us = environ.get("WATCHDOG_USEC", "")
    return int(interval_us) / 1e6 if interval_us.isdecimal() and int(interval_us) else None


def _socket_address(address: str | None) -> str | None:
    if not address or address[0] not in "@/":
        return None
    return "\0" + address[1:] if address.startswith("@") else address
