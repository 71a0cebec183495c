"""What device-mapper's `log-writes` has written down of a disk, and the disk at any moment of it.

A write stands in the log once a flush has covered it, and not before: a disk that is made from the
log's beginning has lost whatever wasn't flushed by then. The log's form is told by the kernel's
documentation, admin-guide/device-mapper/log-writes.rst: a block for the whole, and for each entry
one block and its data.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SUPER: Final = struct.Struct("<QQQI")
"""Magic, version, number of entries, bytes of a sector."""
_ENTRY: Final = struct.Struct("<QQQQ")
"""Sector, number of sectors, flags, bytes of a mark."""
_MAGIC: Final = 0x6A736677736872
_DISCARD: Final = 1 << 2
_MARK: Final = 1 << 3
_END: Final = "dm-log-writes-end"
"""The kernel's own mark, as its last entry (drivers/md/dm-log-writes.c): nobody of ours said it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One entry: bytes at a place, bytes that are given up, or a mark."""

    at: int
    size: int
    data_at: int
    """Where its bytes are in the log."""
    discards: bool
    mark: str | None


class WriteLog:
    """A log on a block device or in a file that nobody writes to any more."""

    def __init__(self, path: Path) -> None:
        """Read where everything is; raises ValueError for what is no log."""
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        magic, version, count, sector = _SUPER.unpack(os.pread(self._descriptor, _SUPER.size, 0))
        if (magic, version) != (_MAGIC, 1):
            message = f"{path} is no log of writes"
            raise ValueError(message)
        self.entries = list(self._read(count, sector))

    def apply(self, entry: Logged, disk: int) -> None:
        """Do to a disk, by its descriptor, what was done then."""
        if entry.mark is not None or not entry.size:
            return
        data = bytes(entry.size)
        if not entry.discards:
            data = os.pread(self._descriptor, entry.size, entry.data_at)
        if len(data) != entry.size or os.pwrite(disk, data, entry.at) != entry.size:
            message = f"{entry} can't be done"
            raise OSError(message)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)

    def _read(self, count: int, sector: int) -> Iterator[Logged]:
        place = sector
        for _ in range(count):
            block = os.pread(self._descriptor, sector, place)
            at, sectors, flags, length = _ENTRY.unpack_from(block)
            place += sector
            mark = block[_ENTRY.size :][:length].decode() if flags & _MARK else None
            yield Logged(
                at=at * sector,
                size=sectors * sector,
                data_at=place,
                discards=bool(flags & _DISCARD),
                mark=None if mark == _END else mark,
            )
            if not flags & (_DISCARD | _MARK):
                place += sectors * sector
