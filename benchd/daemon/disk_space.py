"""No job begins on a disk that is nearly full: its records would find no room in mid-erasure."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import anyio
import structlog
from anyio import to_thread

from benchd.domain.slot import ProblemCode, ProblemView
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard

LOOK_EVERY_S: Final = 15.0
LEAST_BYTES: Final = 256 * 1024**2
"""As the alert BenchdDiskFull has it. What jobs that run still write is a small part of it."""
LEAST_FILES: Final = 1000
"""New ones that a file system without room for names still takes: each certificate is one."""

_log = structlog.get_logger()


class DiskSpaceWatch:
    """Looks how much room is left where jobs write; those that have begun to destroy go on."""

    def __init__(self, folders: Iterable[Path], *, board: RackBoard, admission: Admission) -> None:
        """Take the folders that a rack writes into."""
        self._folders = tuple(folders)
        self._board = board
        self._admission = admission
        self._full: set[Path] = set()

    async def run(self) -> None:
        """Look until cancelled; a disk that doesn't answer keeps nobody from looking at another."""
        async with anyio.create_task_group() as folders:
            for folder in self._folders:
                folders.start_soon(self._watch, folder)

    async def _watch(self, folder: Path) -> None:
        thread = anyio.CapacityLimiter(1)
        while True:
            room = await to_thread.run_sync(
                disk_space_in, folder, limiter=thread, abandon_on_cancel=True
            )
            if room is not None:
                self.report(folder, room)
            await anyio.sleep(LOOK_EVERY_S)

    def report(self, folder: Path, room: DiskSpace) -> None:
        """A folder has so much room now."""
        was_full = folder in self._full
        if room.is_enough and was_full:
            self._full.discard(folder)
            _log.info(
                "disk_has_room", folder=str(folder), free_bytes=room.bytes, free_files=room.files
            )
        elif not room.is_enough and not was_full:
            self._full.add(folder)
            _log.error(
                "disk_full", folder=str(folder), free_bytes=room.bytes, free_files=room.files
            )
        if self._full:
            self._admission.hold(ProblemCode.DISK_FULL)
            self._board.show_notice(ProblemView(code=ProblemCode.DISK_FULL))
        else:
            self._admission.release(ProblemCode.DISK_FULL)
            self._board.withdraw_notice(ProblemCode.DISK_FULL)


class DiskSpace(NamedTuple):
    """What a file system still takes from benchd's user."""

    bytes: int
    files: int | None
    """None where it makes room for names as it needs it."""

    @property
    def is_enough(self) -> bool:
        """Whether a job may begin."""
        return self.bytes >= LEAST_BYTES and (self.files is None or self.files >= LEAST_FILES)


def is_read_only(found: os.statvfs_result) -> bool:
    """Whether nobody can write there, whoever it belongs to."""
    return bool(found.f_flag & os.ST_RDONLY)


def disk_space_in(folder: Path) -> DiskSpace | None:
    """How much there is; None where nobody can tell, as of a file system without a size."""
    try:
        told = os.statvfs(folder)
    except OSError:
        return None
    if not told.f_blocks:
        return None
    return DiskSpace(told.f_bavail * told.f_frsize, told.f_favail if told.f_files else None)
