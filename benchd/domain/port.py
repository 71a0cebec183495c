"""What can be plugged into a port, and what is seen of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from benchd.domain.ids import DeviceAddress, DeviceKind, PortPath

SMART_CARD_CLASS = "0b"
"""The USB class of whatever reads smart cards; source: USB's CCID specification."""


class Liveness(StrEnum):
    """What a kind's access says of one address; presence on USB is another thing."""

    SERVER_DOWN = "server_down"
    ABSENT = "absent"
    OFFLINE = "offline"
    UNAUTHORIZED = "unauthorized"
    NO_PERMISSION = "no_permission"
    WRONG_MODE = "wrong_mode"
    READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """Something was plugged into a port, or came back on it in another mode."""

    port_path: PortPath
    kind: DeviceKind
    """By what USB tells."""
    address: DeviceAddress
    attachment: str
    """Differs for every enumeration of a port and stays the same as long as nothing is unplugged,
    also over a restart of the daemon: that a handset never left is proven by this alone."""
    interfaces: frozenset[str] = frozenset()
    """Interface classes as six hex digits, for example `ff4201` for adb."""
    usb_serial: str | None = None
    vendor_id: str | None = None
    product_id: str | None = None
    at_s: float = field(compare=False)
    """When it was enumerated, in the rack's own time: the kernel's, on a rack of hardware."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detached:
    """What was on a port has left it."""

    port_path: PortPath
    at_s: float = field(compare=False)
    """When it left, in the same time; rather too late than too early, where that isn't known."""


PlugEvent = Attached | Detached


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """What was seen of a planned absence of a handset from its port."""

    left: bool
    returned: bool
    absent_s: float | None
    before: Attached
    after: Attached | None
