"""What the kernel says of its own clock: whether something keeps it right (adjtimex(2))."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TIMESYNCD: Final = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd makes it once it has set the clock (systemd-timesyncd.service(8))."""
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
STA_UNSYNC: Final = 0x0040
"""From <sys/timex.h>."""
STA_NANO: Final = 0x2000
"""The offset is in nanoseconds; without it in microseconds, as the error always is."""
TIME_ERROR: Final = 5


class _Timex(ctypes.Structure):
    """`struct timex`, which has 208 bytes on every 64-bit Linux; zero modes change nothing."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("largest_error", ctypes.c_long),
        ("estimated_error", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 160),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """What the kernel holds of its own clock."""

    synchronised: bool
    offset_s: float
    """What it still has to make up for, by what keeps it right."""
    largest_error_s: float
    """How wrong it is at most; grows by itself while nothing keeps it right."""


def read_clock() -> ClockReading | None:
    """What the kernel says now; None where it may not be asked."""
    told = _Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told))
    if state < 0:
        return None
    unit_s = 1e-9 if told.status & STA_NANO else 1e-6
    return ClockReading(
        synchronised=state != TIME_ERROR and not told.status & STA_UNSYNC,
        offset_s=told.offset * unit_s,
        largest_error_s=told.largest_error * 1e-6,
    )


def is_synchronised() -> bool | None:
    """Whether something keeps the clock right; None where nobody can tell."""
    reading = read_clock()
    if reading is None:
        return True if TIMESYNCD.exists() else None
    return reading.synchronised


def was_synchronised() -> bool | None:
    """Whether something has set the clock since the machine was started."""
    return True if TIMESYNCD.exists() else is_synchronised()


def boot_id() -> str:
    """The kernel's id of this boot."""
    return BOOT_ID.read_text("ascii").strip()
