"""No job begins on a disk that is nearly full: its records would find no room in mid-erasure."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import anyio
import structlog
from anyio import to_thread

from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard
from benchd.words.slot import ProblemCode, ProblemView

LOOK_EVERY_S: Final = 15.0
LEAST_BYTES: Final = 256 * 1024**2
"""As the alert BenchdDiskFull has it. What jobs that run still write is a small part of it."""
AGAIN_BYTES: Final = 384 * 1024**2
"""Room from which jobs begin again: more, so that a log's next lines don't hold them once more."""

_log = structlog.get_logger()


class RoomWatch:
    """Looks how much room is left where jobs write; those that run go on to their end."""

    def __init__(self, folders: Iterable[Path], *, board: RackBoard, admission: Admission) -> None:
        """Take the folders that a rack writes into."""
        self._folders = tuple(folders)
        self._board = board
        self._admission = admission
        self._is_held = False
        self._limiter = anyio.CapacityLimiter(1)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await anyio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once. A disk that doesn't answer keeps this waiting, and nobody else."""
        rooms = await to_thread.run_sync(self._rooms, limiter=self._limiter, abandon_on_cancel=True)
        if not rooms:
            return
        folder, room = min(rooms.items(), key=lambda told: told[1])
        if room < LEAST_BYTES and not self._is_held:
            self._is_held = True
            self._admission.hold(ProblemCode.DISK_FULL)
            self._board.show_notice(ProblemView(code=ProblemCode.DISK_FULL))
            _log.error("disk_full", folder=str(folder), free_bytes=room)
        elif room >= AGAIN_BYTES and self._is_held:
            self._is_held = False
            self._admission.release(ProblemCode.DISK_FULL)
            self._board.withdraw_notice(ProblemCode.DISK_FULL)
            _log.info("disk_has_room", folder=str(folder), free_bytes=room)

    def _rooms(self) -> dict[Path, int]:
        """In bytes; a file system that doesn't know its own size says nothing."""
        rooms: dict[Path, int] = {}
        for folder in self._folders:
            try:
                told = os.statvfs(folder)
            except OSError:
                continue
            if told.f_blocks:
                rooms[folder] = told.f_bavail * told.f_frsize
        return rooms
