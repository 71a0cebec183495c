"""The plug events of this machine's USB ports, as the port `HotplugSource` promises them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import anyio.lowlevel
import pyudev
import structlog

from benchd.domain.errors import DependencyMissing
from benchd.domain.port import PlugEvent
from benchd.hotplug.device_record import (
    DeviceRecord,
    KindByUsb,
    device_number,
    device_record,
    every_device_is_a_handset,
    is_hub,
)
from benchd.hotplug.port_states import PortStates
from benchd.hotplug.pyudev_devices import MonitorOverrun, UsbChange, UsbMonitor, udev_context

RECEIVE_BUFFER_BYTES = 128 * 1024 * 1024
"""What udev gives its own monitors; each of a rack's uevents takes about 2 KiB of it."""

_CHANGES_AT_ONCE = 64
"""So that a storm doesn't keep the event loop from everything else for long."""

_LEAVING = frozenset({"unbind", "offline"})
"""Said of a device on its way out; the remove is still to come."""

_log = structlog.get_logger()


class UdevHotplug:
    """Tells what is plugged into the machine's USB ports: whatever it is, except hubs.

    A device that enumerates anew, as a handset does when it changes its mode, is told as
    Detached and Attached. A further Attached without a Detached has the same `attachment`:
    nothing was unplugged, udev has only now told all of the interfaces. Where two devices
    share a port (the two halves of a USB 3 connector), the port stands for the newer one.
    """

    def __init__(
        self,
        *,
        receive_buffer_bytes: int = RECEIVE_BUFFER_BYTES,
        udev_control: Path = Path("/run/udev/control"),
        boot_id_file: Path = Path("/proc/sys/kernel/random/boot_id"),
        clock: Callable[[], float] = time.monotonic,
        kind_of: KindByUsb = every_device_is_a_handset,
    ) -> None:
        self._kind_of = kind_of
        self._receive_buffer_bytes = receive_buffer_bytes
        self._udev_control = udev_control
        self._boot_id_file = boot_id_file
        self._clock = clock

    @asynccontextmanager
    async def events(self) -> AsyncGenerator[AsyncIterator[PlugEvent], None]:
        """Every port in use as an Attached first, then each change in order.

        The kernel's receive buffer is the only queue: take events without delay. Raises
        DependencyMissing where libudev, udev or its socket is missing, here or after an overflow.
        """
        if not self._udev_control.exists():
            # libudev would open a monitor that never says anything.
            raise DependencyMissing(
                f"udev isn't running: {self._udev_control} doesn't exist",
                cure="systemctl start systemd-udevd (in a container: mount the host's /run/udev)",
            )
        stream = _PlugEvents(
            udev_context(),
            receive_buffer_bytes=self._receive_buffer_bytes,
            boot_id=self._boot_id_file.read_text("ascii").strip(),
            clock=self._clock,
            kind_of=self._kind_of,
        )
        try:
            yield stream
        finally:
            stream.close()


class _PlugEvents(AsyncIterator[PlugEvent]):
    """The plug events of one watch. A cancelled wait for the next one loses none."""

    def __init__(
        self,
        context: pyudev.Context,
        *,
        receive_buffer_bytes: int,
        boot_id: str,
        clock: Callable[[], float],
        kind_of: KindByUsb,
    ) -> None:
        self._context = context
        self._kind_of = kind_of
        self._clock = clock
        self._receive_buffer_bytes = receive_buffer_bytes
        self._boot_id = boot_id
        self._states = PortStates(clock)
        self._without_port: set[str] = set()
        self._closed = False
        # The monitor listens before the enumeration begins, so that nothing falls between.
        self._monitor = self._new_monitor()
        self._overflowed: UsbMonitor | None = None
        self._waiting: deque[PlugEvent] = deque(self._states.reconcile(self._records()))
        if self._monitor.receive_buffer_bytes < receive_buffer_bytes:
            _log.info(
                "udev_buffer_small",
                asked_bytes=receive_buffer_bytes,
                granted_bytes=self._monitor.receive_buffer_bytes,
            )

    async def __anext__(self) -> PlugEvent:
        while True:
            await anyio.lowlevel.checkpoint()
            if self._closed:
                raise anyio.ClosedResourceError
            if self._waiting:
                return self._waiting.popleft()
            if self._overflowed is not None:
                self._take_kept(self._overflowed)
            else:
                await anyio.wait_readable(self._monitor.file_descriptor)
                self._take_new()

    def close(self) -> None:
        """Close the socket; whoever still waits for an event gets ClosedResourceError."""
        self._closed = True
        anyio.notify_closing(self._monitor.file_descriptor)
        self._monitor.close()
        if self._overflowed is not None:
            self._overflowed.close()

    def _take_new(self) -> None:
        try:
            self._take(self._monitor)
        except MonitorOverrun as error:
            _log.warning("udev_overflow", error=str(error))
            self._overflowed = self._monitor
        if self._overflowed is not None:
            # Listening again before anything else shortens what has to be made good.
            self._monitor = self._new_monitor()
            self._overflowed.forgive_overflow()

    def _take_kept(self, overflowed: UsbMonitor) -> None:
        """What was queued before the overflow, then the difference to what is there now."""
        # The kernel queues nothing more on a congested socket until it has been emptied, so
        # all that is read here came before the loss.
        with suppress(MonitorOverrun):
            if self._take(overflowed) == _CHANGES_AT_ONCE:
                return
        overflowed.close()
        self._overflowed = None
        told = self._states.reconcile(self._records())
        self._waiting.extend(told)
        _log.info("udev_enumerated_again", events=len(told))

    def _take(self, monitor: UsbMonitor) -> int:
        """Read some of what is queued, and return how many changes that were."""
        count = 0
        for change in monitor.waiting_changes(_CHANGES_AT_ONCE):
            count += 1
            self._waiting.extend(self._told_by(change))
        return count

    def _told_by(self, change: UsbChange) -> list[PlugEvent]:
        if change.action == "remove":
            return self._states.gone(change.device_path, device_number(change.properties))
        if change.action in _LEAVING:
            return []
        record = self._record(change)
        return [] if record is None else self._states.present(record)

    def _records(self) -> Iterator[DeviceRecord]:
        for change in self._monitor.devices():
            record = self._record(change)
            if record is not None:
                yield record

    def _record(self, change: UsbChange) -> DeviceRecord | None:
        if is_hub(change.properties):
            return None
        record = device_record(
            change.device_path,
            change.properties,
            boot_id=self._boot_id,
            seen_s=self._clock(),
            kind_of=self._kind_of,
        )
        if record is None and change.device_path not in self._without_port:
            self._without_port.add(change.device_path)
            _log.warning("usb_device_without_id_path", device_path=change.device_path)
        return record

    def _new_monitor(self) -> UsbMonitor:
        return UsbMonitor(self._context, receive_buffer_bytes=self._receive_buffer_bytes)
