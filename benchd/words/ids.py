"""Names by which slots, ports, jobs and people are known, and JSON as a type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NewType

JsonValue = None | bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"]


Evidence = Mapping[str, JsonValue]
"""What a stage saw, in JSON's own types, so that it is stored byte for byte as it was judged."""


SlotName = NewType("SlotName", str)


PortPath = NewType("PortPath", str)
"""udev's ID_PATH of a USB port, for example `pci-0000:03:00.0-usb-0:1.4.2`."""


AdbAddress = NewType("AdbAddress", str)
"""How adb names what is plugged into a port: `usb:1-1.4.2`, or `host:port` over TCP."""


JobId = NewType("JobId", str)


OperatorName = NewType("OperatorName", str)
