"""A place outside the rack that keeps its ledger's head: a folder on another mount."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from benchd.domain.errors import AnchorUnreachable

DEADLINE_S = 20.0
LONGEST_HEAD_BYTES = 512

_Result = TypeVar("_Result")


class FolderAnchor:
    """A folder, best on another machine's disk; heads are only ever added to its one file."""

    def __init__(self, folder: Path, rack: str) -> None:
        """`rack` is the key id of the rack, by which the file is called."""
        self.name = str(folder)
        self._file = folder / f"benchd-{rack[:16]}.heads"
        self._limiter = CapacityLimiter(1)

    async def keep(self, signed_head: bytes) -> str:
        """Add a head; the receipt says where in the file it stands."""
        return await self._call(partial(self._add, signed_head))

    async def newest(self) -> bytes | None:
        """The last head of the file; None where it has none yet."""
        return await self._call(self._last)

    async def _call(self, function: Callable[[], _Result]) -> _Result:
        # A mount whose server is away hangs without end.
        try:
            with anyio.fail_after(DEADLINE_S):
                return await to_thread.run_sync(
                    function, limiter=self._limiter, abandon_on_cancel=True
                )
        except (OSError, TimeoutError) as error:
            message = f"{self._file}: {error or 'no answer'}"
            raise AnchorUnreachable(message) from error

    def _add(self, signed_head: bytes) -> str:
        # No folder is made: on a mount that isn't there it would lie on the rack's own disk.
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._file, flags, 0o640)
        with os.fdopen(descriptor, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            whole = size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
            file.write((b"" if whole else b"\n") + signed_head + b"\n")
            file.flush()
            os.fsync(descriptor)
            return f"ends at byte {file.tell()}"

    def _last(self) -> bytes | None:
        self._file.parent.stat()
        try:
            with self._file.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - 4 * LONGEST_HEAD_BYTES))
                # What follows the last line feed was cut short by a crash.
                lines = file.read().split(b"\n")[:-1]
        except FileNotFoundError:
            return None
        return lines[-1] if lines else None
