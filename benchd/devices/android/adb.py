"""How adb names what is plugged into a port, and the loss of its server."""

from __future__ import annotations

from benchd.domain.errors import AccessLost
from benchd.domain.ids import DeviceAddress
from benchd.domain.job import FaultCode

AdbAddress = DeviceAddress
"""`usb:1-1.4.2`, or `host:port` over TCP."""


class AdbServerLost(AccessLost):
    """Raised when benchd's adb server is gone."""

    code = FaultCode.ADB_SERVER_LOST
