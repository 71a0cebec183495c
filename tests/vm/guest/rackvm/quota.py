"""A project quota on a folder, as a handset's system may have one for what its shell writes."""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
from pathlib import Path
from typing import Final

from benchd.lab.simulator.lines.child import RackBroken

PROJECT: Final = 2000
_GET_ATTRIBUTES: Final = 0x801C581F
_SET_ATTRIBUTES: Final = 0x401C5820
"""FS_IOC_FSGETXATTR and FS_IOC_FSSETXATTR of linux/fs.h, of struct fsxattr."""
_ATTRIBUTES: Final = "<5I8x"
_INHERITS: Final = 0x200
"""FS_XFLAG_PROJINHERIT: what is made in the folder is the project's too."""
_SET_QUOTA_OF_PROJECT: Final = 0x800008 << 8 | 2
"""QCMD(Q_SETQUOTA, PRJQUOTA) of linux/quota.h."""
_LIMITS: Final = "<8QI4x"
"""struct if_dqblk: hard and soft limit of space in KiB, six other numbers, and what is meant."""
_LIMITS_OF_SPACE: Final = 1


def limit(device: str, folder: Path, most_bytes: int) -> None:
    """No more than so many bytes may lie in this folder; its statfs tells them as its size."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        attributes = bytearray(struct.calcsize(_ATTRIBUTES))
        fcntl.ioctl(handle, _GET_ATTRIBUTES, attributes)
        flags, extent, extents, _, cow = struct.unpack(_ATTRIBUTES, attributes)
        new = struct.pack(_ATTRIBUTES, flags | _INHERITS, extent, extents, PROJECT, cow)
        fcntl.ioctl(handle, _SET_ATTRIBUTES, new)
    finally:
        os.close(handle)
    most_kib = most_bytes >> 10
    limits = struct.pack(_LIMITS, most_kib, most_kib, *6 * [0], _LIMITS_OF_SPACE)
    library = ctypes.CDLL(None, use_errno=True)
    if library.quotactl(_SET_QUOTA_OF_PROJECT, device.encode(), PROJECT, limits) != 0:
        raise RackBroken(f"no quota on {device}: {os.strerror(ctypes.get_errno())}")
