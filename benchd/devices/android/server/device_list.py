"""The adb server's long list of transports: who claims to be where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from benchd.devices.android.adb import AdbAddress
from benchd.domain.port import Liveness

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

KEPT_LINES: Final = 2048

# Three fields may hold blanks: the serial (a USB string), the state "no permissions (…); see […]"
# and the product name (sent by the handset). Any of them may read like a state and a path.
_ID = re.compile(r"(?P<rest>.*) transport_id:(?P<transport_id>[0-9]{1,9})", re.DOTALL)
_STATE = re.compile(
    rf" +(?P<state>{'|'.join(LIVENESS_OF_STATE)}|no permissions.*?)"
    r"(?: (?P<device_path>usb:[0-9.-]+))?"
    r"(?= (?:product|model|device):|$)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTransport:
    """One reading of the list; handsets write parts of it, so what it says has to be confirmed."""

    address: AdbAddress
    liveness: Liveness
    transport_id: int


def read_device_list(text: str) -> tuple[ListedTransport, ...]:
    """Every claim of a transport to an address, each once; what isn't understood is left out.

    A handset may write lines of its own by a line break in its USB serial, and a line may be read
    in more ways than one: here all are kept, and `claims` asks which are true.
    """
    # Only this ends a line of adb's; a serial may hold whatever else Unicode calls a line break.
    found = (claim for line in text.split("\n") for claim in _read_line(line))
    return tuple(dict.fromkeys(found))


# Of two lists that follow each other all lines but one are the same.
@lru_cache(maxsize=KEPT_LINES)
def _read_line(line: str) -> tuple[ListedTransport, ...]:
    match = _ID.fullmatch(line)
    if match is None:
        return ()
    return tuple(
        ListedTransport(
            address=AdbAddress(state["device_path"] or line[: state.start()]),
            liveness=LIVENESS_OF_STATE.get(state["state"], Liveness.NO_PERMISSION),
            transport_id=int(match["transport_id"]),
        )
        for state in _STATE.finditer(match["rest"])
    )
