"""Which device sits on which port, and what has been told of it. No I/O.

What is told of one port always alternates: Attached, Detached, Attached. The one exception
says more of the same: a further Attached with an unchanged `attachment` completes the
interfaces of a device that never left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from benchd.domain.ids import PortPath
from benchd.domain.port import Attached, Detached, PlugEvent
from benchd.hotplug.device_record import DeviceRecord


class PortStates:
    """Takes devices as they come and go, gives the plug events that bring the told up to date."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` is the monotonic one, in which the kernel and udev tell their times."""
        self._clock = clock
        # In order of arrival: where udev tells no time, the later one is the newer one.
        self._devices: dict[str, DeviceRecord] = {}
        self._told: dict[PortPath, Attached] = {}

    def present(self, record: DeviceRecord) -> list[PlugEvent]:
        """A device is there; the same news twice gives nothing the second time."""
        known = self._devices.get(record.device_path)
        if known is None:
            self._devices[record.device_path] = record
            return self._settle([record.attached.port_path])
        if record.is_older_than(known):
            return []  # queued before the enumeration that already saw its successor
        if known.is_same_enumeration(record):
            if record.attached.interfaces < known.attached.interfaces:
                return []  # said before udev knew them all, or without udev's properties
        else:
            del self._devices[record.device_path]
        self._devices[record.device_path] = record
        return self._settle([known.attached.port_path, record.attached.port_path])

    def gone(self, device_path: str, device_number: str = "") -> list[PlugEvent]:
        """A device has left; a number that isn't the known device's own tells of an earlier one."""
        known = self._devices.get(device_path)
        if known is None or known.is_denied_by(device_number):
            return []
        del self._devices[device_path]
        return self._settle([known.attached.port_path])

    def reconcile(self, records: Iterable[DeviceRecord]) -> list[PlugEvent]:
        """Exactly these devices are there: what it takes to get from the last told to that."""
        self._devices = {record.device_path: record for record in records}
        ports = [record.attached.port_path for record in self._devices.values()]
        return self._settle([*self._told, *ports])

    def _settle(self, ports: Iterable[PortPath]) -> list[PlugEvent]:
        events: list[PlugEvent] = []
        for port in dict.fromkeys(ports):
            told, newest = self._told.pop(port, None), self._newest(port)
            if newest is not None:
                self._told[port] = newest
            if told is not None and (newest is None or newest.attachment != told.attachment):
                events.append(Detached(port_path=port, at_s=self._clock()))
            if newest is not None and newest != told:
                events.append(newest)
        return events

    def _newest(self, port: PortPath) -> Attached | None:
        """The device that the port stands for.

        One connector has a USB 2 and a USB 3 half with the same ID_PATH; a handset that
        changes halves may be seen on the new one before it has left the old one.
        """
        newest: DeviceRecord | None = None
        for record in self._devices.values():
            if record.attached.port_path == port and (
                newest is None or record.initialised_us >= newest.initialised_us
            ):
                newest = record
        return None if newest is None else newest.attached
