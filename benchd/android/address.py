"""How adb names what is plugged into a port."""

from __future__ import annotations

from benchd.words.ids import DeviceAddress

AdbAddress = DeviceAddress
"""`usb:1-1.4.2`, or `host:port` over TCP."""
