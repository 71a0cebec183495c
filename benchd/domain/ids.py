"""Names by which slots, ports, jobs and people are known, and JSON as a type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NewType

JsonValue = None | bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"]


JsonObject = Mapping[str, JsonValue]


Evidence = JsonObject
"""What a stage saw, in JSON's own types, so that it is stored byte for byte as it was judged."""


SlotName = NewType("SlotName", str)


PortPath = NewType("PortPath", str)
"""udev's ID_PATH of a USB port, for example `pci-0000:03:00.0-usb-0:1.4.2`."""


DeviceKind = NewType("DeviceKind", str)
"""A kind of device by its name: what is worked with in one way, and proven by one profile."""

ANDROID: Final = DeviceKind("android")
"""A handset over adb."""


DeviceAddress = NewType("DeviceAddress", str)
"""How what is plugged into a port is addressed; only its kind's own access understands it."""


JobId = NewType("JobId", str)


OperatorName = NewType("OperatorName", str)
