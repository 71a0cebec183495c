"""Mock USB devices for the real libudev: umockdev over ctypes, no gi needed.

Traps: `umockdev_in_mock_environment()` remembers its first answer, so a call before the
first testbed switches every uevent off. A monitor that has eleven events unread ends the
process (SIGABRT in umockdev's sender), so bursts go over a real netlink socket instead.
umockdev writes no udev database, so this does.
"""

from __future__ import annotations

import ctypes
import itertools
import os
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path

import anyio

from benchd.domain.ids import PortPath
from benchd.domain.port import Attached, Detached, PlugEvent

CONTROLLER = "0000:00:14.0"
WRAPPER_CURE = "start the tests with scripts/test, or: umockdev-wrapper python -m pytest"

Watch = Callable[[], AbstractAsyncContextManager[AsyncIterator[PlugEvent]]]

_CHARGE = ("ff0000",)
_HUB = {"PRODUCT": "1d6b/2/602", "TYPE": "9/0/1"}
_BY_UDEV = ("ID_", "USEC_INITIALIZED=")


def is_under_wrapper() -> bool:
    return "libumockdev-preload" in os.environ.get("LD_PRELOAD", "")


def id_path(port: str) -> str:
    """`1-1.4` as udev's path_id writes it; both buses belong to the same controller."""
    return f"pci-{CONTROLLER}-usb-0:{port.partition('-')[2]}"


class UsbTestbed:
    """A machine with one controller, two buses (USB 2 and USB 3) and a hub on each."""

    def __init__(self) -> None:
        assert is_under_wrapper(), WRAPPER_CURE
        self._library = _library()
        self._testbed = self._library.umockdev_testbed_new()
        self.root = Path(self._library.umockdev_testbed_get_root_dir(self._testbed).decode())
        self.database = self.root / "run/udev/data"
        self.database.mkdir(parents=True)
        self._numbers = {bus: itertools.count(1) for bus in (1, 2)}
        self._microseconds = itertools.count(5_000_000, 1_000)
        self._devices: dict[str, tuple[str, Path]] = {}
        pci = self._add("pci", CONTROLLER, None, {"class": "0x0c0330"}, {})
        for bus in (1, 2):
            self._plug(f"usb{bus}", bus, pci, _HUB, {"ID_PATH": f"pci-{CONTROLLER}"})
            self.plug_hub(f"{bus}-1")

    def close(self) -> None:
        gobject = ctypes.CDLL("libgobject-2.0.so.0")
        self._library.umockdev_testbed_clear(self._testbed)
        gobject.g_object_unref.argtypes = [ctypes.c_void_p]
        gobject.g_object_unref(self._testbed)

    def plug(
        self,
        port: str,
        *,
        serial: str = "0123456789ABCDEF",
        interfaces: Sequence[str] = _CHARGE,
        product: str = "4dd/9c9b/612",
        without: Sequence[str] = (),
    ) -> str:
        """Something appears on a port; returns its DEVPATH. `without`: what udev hasn't set."""
        vendor_id, product_id, _ = product.split("/")
        stored = {
            "ID_VENDOR_ID": vendor_id.zfill(4),
            "ID_MODEL_ID": product_id.zfill(4),
            "ID_SERIAL_SHORT": serial,
            "ID_PATH": id_path(port),
            "ID_USB_INTERFACES": f":{':'.join(interfaces)}:",
        }
        bus = int(port.partition("-")[0])
        hub = f"{bus}-1"
        return self._plug(
            port,
            bus,
            self._devices[hub][0],
            {"PRODUCT": product, "TYPE": "0/0/0"},
            {name: value for name, value in stored.items() if name not in without},
        )

    def plug_hub(self, port: str) -> None:
        bus = int(port.partition("-")[0])
        stored = {"ID_PATH": id_path(port), "ID_USB_INTERFACES": ":090000:"}
        self._plug(port, bus, self._devices[f"usb{bus}"][0], _HUB, stored)

    def add_interface(self, port: str, number: int, interface: str) -> None:
        """A usb_interface with its own uevent, as the kernel makes it after the device's."""
        parts = {
            "bInterfaceClass": interface[:2],
            "bInterfaceSubClass": interface[2:4],
            "bInterfaceProtocol": interface[4:],
        }
        properties = {
            "DEVTYPE": "usb_interface",
            "INTERFACE": "255/66/1",
            "ID_PATH": f"{id_path(port)}:1.{number}",
        }
        self._add("usb", f"{port}:1.{number}", self._devices[port][0], parts, properties)

    def store(self, port: str, properties: Mapping[str, str]) -> None:
        """Udev's database gets more properties of a device, without an event."""
        with self._devices[port][1].open("a") as file:
            file.writelines(f"E:{name}={value}\n" for name, value in properties.items())

    def forget(self, port: str) -> None:
        """Udev loses a device, so that its next event carries the kernel's properties only."""
        sys_path, database_file = self._devices[port]
        database_file.unlink()
        uevent = self.root / sys_path.removeprefix("/") / "uevent"
        lines = uevent.read_text().splitlines(keepends=True)
        uevent.write_text("".join(line for line in lines if not line.startswith(_BY_UDEV)))

    @contextmanager
    def not_initialised(self, port: str) -> Generator[None, None, None]:
        """Udev hasn't finished with a device yet; its first event says that it has."""
        database_file = self._devices[port][1]
        content = database_file.read_text()
        database_file.unlink()
        yield
        database_file.write_text(content)

    def uevent(self, port: str, action: str) -> None:
        sys_path = self._devices[port][0]
        self._library.umockdev_testbed_uevent(self._testbed, sys_path.encode(), action.encode())

    def unplug(self, port: str) -> None:
        sys_path, database_file = self._devices.pop(port)
        self._library.umockdev_testbed_remove_device(self._testbed, sys_path.encode())
        database_file.unlink(missing_ok=True)

    def replug(self, port: str, *, interfaces: Sequence[str]) -> None:
        """The same handset comes back in another mode: a new device number, the same path."""
        self.unplug(port)
        self.plug(port, interfaces=interfaces)

    def _plug(
        self,
        name: str,
        bus: int,
        parent: str,
        kernel: dict[str, str],
        stored: dict[str, str],
    ) -> str:
        number = next(self._numbers[bus]) % 127 + 1
        minor = (bus - 1) * 128 + number - 1
        database_file = self.database / f"c189:{minor}"
        initialised_us = str(next(self._microseconds))
        database_file.write_text(
            f"I:{initialised_us}\n"
            + "".join(f"E:{name}={value}\n" for name, value in stored.items())
            + "V:1\n",
            errors="surrogateescape",
        )
        own = {
            "MAJOR": "189",
            "MINOR": str(minor),
            "DEVNAME": f"bus/usb/{bus:03}/{number:03}",
            "DEVTYPE": "usb_device",
            "BUSNUM": f"{bus:03}",
            "DEVNUM": f"{number:03}",
            # umockdev puts nothing but the uevent file into its events, udevd all it knows.
            "USEC_INITIALIZED": initialised_us,
        }
        properties = own | kernel | stored
        sys_path = self._add("usb", name, parent, {"devnum": str(number)}, properties)
        self._devices[name] = (sys_path, database_file)
        return sys_path.removeprefix("/sys")

    def _add(
        self,
        subsystem: str,
        name: str,
        parent: str | None,
        attributes: Mapping[str, str],
        properties: Mapping[str, str],
    ) -> str:
        return self._library.umockdev_testbed_add_devicev(
            self._testbed,
            subsystem.encode(),
            name.encode(),
            None if parent is None else parent.encode(),
            _flat(attributes),
            _flat(properties),
        ).decode()


def _flat(pairs: Mapping[str, str]) -> ctypes.Array[ctypes.c_char_p]:
    words = [os.fsencode(word) for pair in pairs.items() for word in pair]
    return (ctypes.c_char_p * (len(words) + 1))(*words, None)


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL("libumockdev.so.0")
    testbed, text = ctypes.c_void_p, ctypes.c_char_p
    words = ctypes.POINTER(ctypes.c_char_p)
    library.umockdev_testbed_new.restype = testbed
    library.umockdev_testbed_get_root_dir.argtypes = [testbed]
    library.umockdev_testbed_get_root_dir.restype = text
    library.umockdev_testbed_add_devicev.argtypes = [testbed, text, text, text, words, words]
    library.umockdev_testbed_add_devicev.restype = text
    library.umockdev_testbed_uevent.argtypes = [testbed, text, text]
    library.umockdev_testbed_remove_device.argtypes = [testbed, text]
    library.umockdev_testbed_clear.argtypes = [testbed]
    return library


async def told(events: AsyncIterator[PlugEvent], count: int) -> list[PlugEvent]:
    with anyio.fail_after(5):
        return [await anext(events) for _ in range(count)]


async def attached(events: AsyncIterator[PlugEvent]) -> Attached:
    (event,) = await told(events, 1)
    assert isinstance(event, Attached)
    return event


async def nothing_more(events: AsyncIterator[PlugEvent], testbed: UsbTestbed) -> None:
    """The next thing told is what is plugged in now."""
    testbed.plug("1-1.99")
    assert (await attached(events)).port_path == id_path("1-1.99")


def left(port: str) -> Detached:
    return Detached(port_path=PortPath(id_path(port)), at_s=0.0)
