"""How long a chip may take for a command, as its own PMm says.

Byte i of PMm reads EE BBB AAA: T * ((B + 1) * n + (A + 1)) * 4^E with T = 256 * 16 / 13.56 MHz;
n is the number of nodes or blocks asked for. Source: JIS X 6319-4, FeliCa card user's manual.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

_STEP_S: Final = 256 * 16 / 13.56e6
_SHORTEST_S: Final = 0.003
"""No reader waits for less, and no chip answers much faster."""
_POLL_FIRST_S: Final = 0.002417
_POLL_SLOT_S: Final = 0.001208
_MARGIN: Final = 1.5
LONGEST_TIMEOUT_S: Final = 2.0
"""A PMm can ask for half a minute per command; no chip in a handset takes this long."""
OVERHEAD_S: Final = 0.05
"""What reader, USB and driver add to an exchange."""


class TimingClass(IntEnum):
    """Which byte of PMm tells the time of a command."""

    VARIABLE = 2
    FIXED = 3
    READ = 5
    OTHER = 7


def response_time_s(pmm: bytes, timing: TimingClass, units: int = 0) -> float:
    """The longest time in seconds that a chip with this PMm (8 bytes) takes for a command."""
    value = pmm[timing]
    fixed, per_unit, exponent = value & 7, value >> 3 & 7, value >> 6
    time_s = _STEP_S * ((per_unit + 1) * units + fixed + 1) * 4**exponent
    return max(time_s, _SHORTEST_S)


def command_timeout_s(pmm: bytes, timing: TimingClass, units: int = 0) -> float:
    """How long to wait for a command's answer at the reader, in seconds."""
    time_s = response_time_s(pmm, timing, units) * _MARGIN + OVERHEAD_S
    return min(time_s, LONGEST_TIMEOUT_S)


def polling_timeout_s(slots: int) -> float:
    """How long to wait for the answer to a Polling with so many time slots, in seconds."""
    return (_POLL_FIRST_S + _POLL_SLOT_S * slots) * _MARGIN + OVERHEAD_S
