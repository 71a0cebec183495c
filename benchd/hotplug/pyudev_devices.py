"""The one place that touches pyudev: a netlink monitor, the enumeration and the udev database."""

# pyudev has no annotations at all: what is used of it is typed here, once, by hand.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import pyudev

from benchd.domain.errors import BenchdError, DependencyMissing
from benchd.hotplug.device_record import UdevProperties, device_number

_SUBSYSTEM = "usb"
_DEVICE_TYPE = "usb_device"
_FROM_UDEV = frozenset({"ID_PATH", "ID_USB_INTERFACES", "USEC_INITIALIZED"})
_USED_PROPERTIES = _FROM_UDEV | {
    "BUSNUM",
    "DEVNUM",
    "ID_MODEL_ID",
    "ID_SERIAL_SHORT",
    "ID_VENDOR_ID",
    "PRODUCT",
    "TYPE",
}
_INTERFACE_PARTS = ("Class", "SubClass", "Protocol")

# What pyudev makes of libudev's errno: OSError, but of EINVAL and EOVERFLOW these two.
_LIBUDEV_ERRORS = (OSError, ValueError, OverflowError)


class MonitorOverrun(BenchdError):
    """Raised when events were lost: this monitor is of no more use than what it has queued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbChange:
    """One uevent of one USB device, or its mere presence while enumerating (`action` is empty)."""

    action: str
    device_path: str
    properties: UdevProperties


class _Device(Protocol):
    """What is used of pyudev.Device."""

    @property
    def action(self) -> str | None: ...
    @property
    def device_path(self) -> str: ...
    @property
    def sys_path(self) -> str: ...
    @property
    def sys_name(self) -> str: ...
    @property
    def is_initialized(self) -> bool: ...
    @property
    def properties(self) -> Mapping[str, str]: ...


class _Monitor(Protocol):
    """What is used of pyudev.Monitor."""

    def fileno(self) -> int: ...
    def filter_by(self, subsystem: str, device_type: str) -> None: ...
    def poll(self, timeout: float) -> _Device | None: ...
    def set_receive_buffer_size(self, size: int) -> None: ...
    def start(self) -> None: ...


class UsbMonitor:
    """A started monitor of USB devices; what it queues from here on is everything that happens."""

    def __init__(self, context: pyudev.Context, *, receive_buffer_bytes: int) -> None:
        self._context = context
        try:
            monitor = cast("_Monitor", pyudev.Monitor.from_netlink(context))
            # Both before the start: nothing else of the machine takes room in the queue.
            self.receive_buffer_bytes = _enlarge_buffer(monitor, receive_buffer_bytes)
            monitor.filter_by(_SUBSYSTEM, _DEVICE_TYPE)
            monitor.start()
        except _LIBUDEV_ERRORS as error:
            raise DependencyMissing(
                f"udev's event socket can't be opened: {error}",
                cure="Allow the daemon AF_NETLINK sockets (RestrictAddressFamilies= in its unit).",
            ) from None
        self._monitor: _Monitor | None = monitor
        self.file_descriptor = monitor.fileno()

    def waiting_changes(self, at_most: int) -> Iterator[UsbChange]:
        """What has been queued until now, without waiting; raises MonitorOverrun."""
        for _ in range(at_most):
            device = self._poll()
            if device is None:
                return
            yield self._change(device)

    def forgive_overflow(self) -> None:
        """Take the overflow's error off the socket, so that what was queued before can be read.

        Without this every poll of pyudev fails before it reads anything (pyudev#194).
        """
        with socket.socket(fileno=os.dup(self.file_descriptor)) as same_socket:
            same_socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def devices(self) -> Iterator[UsbChange]:
        """Every USB device that udev has finished with; the others' events are still to come."""
        found = self._context.list_devices(subsystem=_SUBSYSTEM, DEVTYPE=_DEVICE_TYPE)
        for device in cast("Iterable[_Device]", found):
            if device.is_initialized:
                yield UsbChange(
                    action="",
                    device_path=device.device_path,
                    properties=self._with_interfaces(device, _readable(device)),
                )

    def close(self) -> None:
        """Close the socket; libudev does so when the last reference to the monitor goes."""
        self._monitor = None

    def _poll(self) -> _Device | None:
        try:
            return None if self._monitor is None else self._monitor.poll(0)
        except _LIBUDEV_ERRORS as error:
            raise MonitorOverrun(str(error)) from None

    def _change(self, device: _Device) -> UsbChange:
        action, properties = device.action or "", _readable(device)
        if action != "remove" and not properties.keys() >= _FROM_UDEV:
            properties = self._completed(device, properties)
        return UsbChange(action=action, device_path=device.device_path, properties=properties)

    def _completed(self, device: _Device, properties: dict[str, str]) -> UdevProperties:
        """What the event left out, from the database, unless that already tells of a successor."""
        try:
            stored = cast("_Device", pyudev.Devices.from_sys_path(self._context, device.sys_path))
            stored_properties = _readable(stored)
        except pyudev.DeviceNotFoundError:
            return properties
        if device_number(stored_properties) != device_number(properties):
            return properties
        return self._with_interfaces(device, stored_properties | properties)

    def _with_interfaces(self, device: _Device, properties: dict[str, str]) -> UdevProperties:
        """The same with ID_USB_INTERFACES, from sysfs if udev's usb_id hasn't written it."""
        if "ID_USB_INTERFACES" in properties:
            return properties
        # Only attributes that the kernel answers without taking the device's lock: a handset
        # that hangs in a transfer would hold it.
        found = [
            "".join(_attribute(folder / f"bInterface{part}") for part in _INTERFACE_PARTS)
            for folder in sorted(Path(device.sys_path).glob(f"{device.sys_name}:*"))
        ]
        return properties | {"ID_USB_INTERFACES": f":{':'.join(found)}:"}


def udev_context() -> pyudev.Context:
    """The libudev of this machine."""
    try:
        return pyudev.Context()
    except ImportError as error:
        raise DependencyMissing(
            f"libudev can't be loaded: {error}", cure="apt install libudev1"
        ) from None


def _enlarge_buffer(monitor: _Monitor, size_bytes: int) -> int:
    """Ask for a receive buffer and return what was granted, in the kernel's own count."""
    with socket.socket(fileno=os.dup(monitor.fileno())) as same_socket:
        try:
            # Past net.core.rmem_max: needs CAP_NET_ADMIN, which the daemon's unit doesn't give.
            monitor.set_receive_buffer_size(size_bytes)
        except _LIBUDEV_ERRORS:
            same_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size_bytes)
        return same_socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def _readable(device: _Device) -> dict[str, str]:
    """The properties that are used; one that isn't text (a hostile string) counts as missing."""
    properties: dict[str, str] = {}
    for name in _USED_PROPERTIES:
        with suppress(KeyError, UnicodeDecodeError):
            properties[name] = device.properties[name]
    return properties


def _attribute(file: Path) -> str:
    """A sysfs attribute, empty if the device has gone meanwhile."""
    try:
        return file.read_text("ascii", "replace").strip()
    except OSError:
        return ""
