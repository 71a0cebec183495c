"""What the kernel says of its own clock: whether something keeps it right (adjtimex(2))."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Final

TIMESYNCD: Final = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd makes it once it has set the clock (systemd-timesyncd.service(8))."""
STA_UNSYNC: Final = 0x0040
"""From <sys/timex.h>."""
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


def is_synchronised() -> bool | None:
    """Whether something keeps the clock right; None where the kernel may not be asked."""
    told = _Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told))
    if state < 0:
        return True if TIMESYNCD.exists() else None
    return state != TIME_ERROR and not told.status & STA_UNSYNC
