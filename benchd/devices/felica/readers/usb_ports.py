"""In which USB ports there are card readers, by the files that Linux shows in sysfs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchd.devices.felica.readers.pcsc import Connection, Context
from benchd.devices.felica.readers.reader_frames import Channel
from benchd.domain.port import SMART_CARD_CLASS

SYSFS_USB: Final = Path("/sys/bus/usb/devices")
_USB_CHANNEL: Final = 0x0020
"""The upper half of libccid's channel id of a USB reader; below it bus and address."""


def look_up_port(context: Context, reader: str, sysfs: Path) -> str | None:
    """The port of the reader of this name, as `port_of_reader`; its chip notices nothing of it.

    Raises ReaderFault where another program has taken the reader, ReaderGone.
    """
    connection = context.connect(reader, Channel.ESCAPE)
    try:
        return port_of_reader(context, connection, sysfs)
    finally:
        context.release(connection)


def port_of_reader(context: Context, connection: Connection, sysfs: Path) -> str | None:
    """The port of the reader that was taken, `1-4.2.3`; None where that can't be found out."""
    path = context.usb_path(connection)
    if path is not None:
        return port_of_interface(path)
    channel_id = context.channel_id(connection)
    return None if channel_id is None else port_of_channel(channel_id, sysfs)


def plugged_readers(sysfs: Path) -> frozenset[str]:
    """The ports, `1-4.2.3`, of all devices with a smart card interface."""
    ports: set[str] = set()
    for folder in _folders(sysfs):
        port, colon, _ = folder.name.partition(":")
        if colon and _read(folder / "bInterfaceClass") == SMART_CARD_CLASS:
            ports.add(port)
    return frozenset(ports)


def port_of_channel(channel_id: int, sysfs: Path) -> str | None:
    """The port of the reader with this channel id, None where it isn't on USB or has just left."""
    if channel_id >> 16 != _USB_CHANNEL:
        return None
    bus, address = str(channel_id >> 8 & 0xFF), str(channel_id & 0xFF)
    for folder in _folders(sysfs):
        if (_read(folder / "busnum"), _read(folder / "devnum")) == (bus, address):
            return folder.name
    return None


def port_of_interface(path: str) -> str | None:
    """The port in what the driver calls a reader's interface, `1-4.2.3:1.0`."""
    port, colon, _ = path.partition(":")
    return port if colon and port else None


def _folders(sysfs: Path) -> list[Path]:
    try:
        return sorted(sysfs.iterdir())
    except OSError:
        return []


def _read(file: Path) -> str | None:
    try:
        return file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
