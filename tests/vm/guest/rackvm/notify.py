"""Tells systemd that the rack is up."""

from __future__ import annotations

import os
import socket


def notify_ready() -> None:
    """READY=1 to whoever started this, if anybody wants to know (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service_manager:
            service_manager.sendto(b"READY=1", address.replace("@", "\0", 1))
