"""Which files a streamed overwrite makes: on f2fs some for each of its logs of data.

As the fill program's own layout (benchd/devices/android/filler/layout.go), but without small files
and
directories: over the cable each of them costs a command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

F2FS: Final = "f2fs"
LOG_BYTES: Final = 8 << 20
"""Fills the segments that f2fs has open for a log, of 2 MiB each."""
_WARM: Final = ".dat"
_HOT_AND_COLD: Final = (".db", ".jpg")
"""f2fs chooses the log of a file's data by the end of its name: fs/f2fs/namei.c, mkfs.f2fs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLayout:
    """The ends of the names that get a file of `LOG_BYTES` before the rest is filled."""

    logs: tuple[str, ...]

    @classmethod
    def of(cls, file_system: str) -> StreamLayout:
        """How this file system wants to be filled."""
        return cls(logs=_HOT_AND_COLD if file_system == F2FS else ())

    @property
    def kinds(self) -> int:
        """How many kinds of files there are; so many in a row without room are the end."""
        return len(self.logs) + 1

    def body(self, index: int, file_bytes: int) -> tuple[str, int]:
        """End of the name and most bytes of the body file with this number."""
        if index < len(self.logs):
            return self.logs[index], min(LOG_BYTES, file_bytes)
        return _WARM, file_bytes

    def tail(self, turn: int, file_bytes: int) -> tuple[str, int]:
        """The same for the tail's files, which take turns."""
        return self.body(turn % self.kinds, file_bytes)
