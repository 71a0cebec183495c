"""What udev says of one USB device, made into a record that can be compared. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchd.domain.ids import ANDROID, DeviceAddress, DeviceKind, PortPath
from benchd.domain.port import Attached

UdevProperties = Mapping[str, str]

_LONGEST_SERIAL = 128
_LONGEST_PATH = 255
_MOST_INTERFACES = 64
_INTERFACE = re.compile(r"[0-9a-f]{6}")
_VENDOR_OR_PRODUCT = re.compile(r"[0-9a-f]{4}")
_HUB_CLASS = "9"


KindByUsb = Callable[[frozenset[str], str | None], DeviceKind]
"""The kind of a device by its interface classes and its vendor's id."""


def every_device_is_a_handset(interfaces: frozenset[str], vendor_id: str | None) -> DeviceKind:
    """What is right on a rack of handsets alone: one that isn't set up yet offers anything."""
    del interfaces, vendor_id
    return ANDROID


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """One enumeration of one USB device; a device that enumerates again is another record."""

    device_path: str
    """The kernel's DEVPATH, the only name that a remove event is sure to carry."""
    device_number: str
    """Bus and number on it, for example `001/007`; empty where udev doesn't tell."""
    initialised_us: int
    """When udev first saw this enumeration, in its own clock; 0 where it doesn't tell."""
    attached: Attached

    def is_same_enumeration(self, other: DeviceRecord) -> bool:
        """Whether nothing was unplugged between the two."""
        return self.attached.attachment == other.attached.attachment

    def is_older_than(self, other: DeviceRecord) -> bool:
        """Whether udev knew this one first; no if it tells of neither or only of one."""
        return 0 < self.initialised_us < other.initialised_us

    def is_denied_by(self, device_number: str) -> bool:
        """Whether an event with this device number speaks of another enumeration."""
        return "" not in (self.device_number, device_number) and (
            self.device_number != device_number
        )


def is_hub(properties: UdevProperties) -> bool:
    """Whether the device is a hub, by the kernel's TYPE=class/subclass/protocol of the device."""
    return properties.get("TYPE", "").partition("/")[0] == _HUB_CLASS


def device_number(properties: UdevProperties) -> str:
    """Bus and device number as one word, empty when either is missing."""
    bus, number = properties.get("BUSNUM", ""), properties.get("DEVNUM", "")
    return f"{bus}/{number}" if bus and number else ""


def device_record(
    device_path: str,
    properties: UdevProperties,
    *,
    boot_id: str,
    seen_s: float,
    kind_of: KindByUsb = every_device_is_a_handset,
) -> DeviceRecord | None:
    """The record of a device, or None when udev gave it no ID_PATH, so that no slot can name it.

    `seen_s` stands in where udev doesn't tell when it first saw it; both are the monotonic clock's.
    """
    port_path = _cleaned(properties.get("ID_PATH", ""), _LONGEST_PATH)
    if not port_path:
        return None
    number = device_number(properties)
    initialised_us = _whole_number(properties.get("USEC_INITIALIZED", ""))
    vendor, _, product_and_version = properties.get("PRODUCT", "").partition("/")
    product = product_and_version.partition("/")[0]
    interfaces = _interfaces(properties.get("ID_USB_INTERFACES", ""))
    vendor_id = _four_digits(properties.get("ID_VENDOR_ID"), vendor)
    attached = Attached(
        port_path=PortPath(port_path),
        kind=kind_of(interfaces, vendor_id),
        address=DeviceAddress("usb:" + device_path.rpartition("/")[2]),
        # The number alone comes round again after 127 enumerations of a bus, the time alone
        # is udev's to reset: together they don't repeat within a boot.
        attachment=f"{boot_id}{device_path}#{number}@{initialised_us or ''}",
        interfaces=interfaces,
        usb_serial=_cleaned(properties.get("ID_SERIAL_SHORT", ""), _LONGEST_SERIAL) or None,
        vendor_id=vendor_id,
        product_id=_four_digits(properties.get("ID_MODEL_ID"), product),
        at_s=initialised_us / 1e6 if initialised_us else seen_s,
    )
    return DeviceRecord(
        device_path=device_path,
        device_number=number,
        initialised_us=initialised_us,
        attached=attached,
    )


def _interfaces(listed: str) -> frozenset[str]:
    """Udev's `:ff4201:060101:` as a set; what isn't six hex digits is left out."""
    words = listed.lower().split(":", _MOST_INTERFACES + 1)[: _MOST_INTERFACES + 1]
    return frozenset(word for word in words if _INTERFACE.fullmatch(word))


def _four_digits(by_udev: str | None, by_kernel: str) -> str | None:
    """An id as four hex digits; the kernel writes it without leading zeros."""
    word = by_kernel.zfill(4) if by_udev is None else by_udev
    return word.lower() if _VENDOR_OR_PRODUCT.fullmatch(word.lower()) else None


def _cleaned(text: str, longest: int) -> str:
    """Bounded and printable: a handset chooses its own serial."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:longest]
    ).strip()


def _whole_number(text: str) -> int:
    """The number, or 0 for whatever isn't a plain one of bearable length."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 20 else 0
