"""The adb server's long list of transports, as text and as values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from benchd.words.ids import AdbAddress
from benchd.words.port import Liveness

LIVENESS_OF_STATE: Final[Mapping[str, Liveness]] = MappingProxyType(
    {
        "device": Liveness.READY,
        "offline": Liveness.OFFLINE,
        "connecting": Liveness.OFFLINE,
        "authorizing": Liveness.OFFLINE,
        "detached": Liveness.OFFLINE,
        "unknown": Liveness.OFFLINE,
        "unauthorized": Liveness.UNAUTHORIZED,
        "bootloader": Liveness.WRONG_MODE,
        "host": Liveness.WRONG_MODE,
        "recovery": Liveness.WRONG_MODE,
        "rescue": Liveness.WRONG_MODE,
        "sideload": Liveness.WRONG_MODE,
    }
)
"""The words of AOSP's adb.cpp, `to_string(ConnectionState)`."""

# Three fields may hold blanks: the serial (a USB string), the state "no permissions (…); see […]"
# and the product name (sent by the handset). A line is read from its fixed parts.
_LINE = re.compile(
    r"(?P<serial>.*?) +"
    rf"(?P<state>{'|'.join(LIVENESS_OF_STATE)}|no permissions.*?)"
    r"(?: (?P<device_path>usb:[0-9.-]+))?"
    r"(?: (?:product|model|device):.*)?"
    r" transport_id:(?P<transport_id>[0-9]{1,9})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTransport:
    """One line of the list; handsets write parts of it, so what it says has to be confirmed."""

    address: AdbAddress
    liveness: Liveness
    transport_id: int


def read_device_list(text: str) -> dict[AdbAddress, ListedTransport]:
    """The transports by address; lines that aren't understood are left out.

    An address that is claimed twice is OFFLINE: a handset may write lines of its own into the
    list by way of its product name.
    """
    lines = [found for line in text.splitlines() if (found := _read_line(line)) is not None]
    claims = Counter(line.address for line in lines)
    return {
        line.address: line
        if claims[line.address] == 1
        else ListedTransport(
            address=line.address, liveness=Liveness.OFFLINE, transport_id=line.transport_id
        )
        for line in lines
    }


def _read_line(line: str) -> ListedTransport | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    state = match["state"]
    return ListedTransport(
        address=AdbAddress(match["device_path"] or match["serial"]),
        liveness=LIVENESS_OF_STATE.get(state, Liveness.NO_PERMISSION),
        transport_id=int(match["transport_id"]),
    )
