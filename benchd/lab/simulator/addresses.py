"""How the places of a virtual rack are called, and the form of what is told about them."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter

from benchd.devices.android.adb import AdbAddress
from benchd.domain.ids import PortPath
from benchd.domain.port import Attached

FIRST_ADBD_PORT: Final = 16000

PLAN_FILE: Final = "plan.json"
PLUG_SOCKET: Final = "plug.sock"
CONTROL_SOCKET: Final = "control.sock"
ADB_SOCKET: Final = "adb.sock"
"""Where benchd's adb server listens; the rack never starts one."""

ATTACHED_JSON: Final = TypeAdapter(Attached)
"""Reads and writes the fields of an `attached` event."""


def port_path(slot: int) -> PortPath:
    """The ID_PATH that udev would give a slot."""
    return PortPath(f"platform-virtual-usb-0:{slot}")


def slot_number(port: PortPath) -> int:
    """Which slot of a virtual rack has this ID_PATH."""
    return int(port.rpartition(":")[2])


def adbd_port(slot: int) -> int:
    """The TCP port on which the handset in this slot speaks adb."""
    return FIRST_ADBD_PORT + slot


def adb_address(slot: int) -> AdbAddress:
    """How adb names what is in this slot; it stands where real handsets have `usb:1-1.4`."""
    return AdbAddress(f"127.0.0.1:{adbd_port(slot)}")
