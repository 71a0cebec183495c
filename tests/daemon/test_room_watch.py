"""A disk that is nearly full lets no job begin, and says so until there is room again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from benchd.daemon.room_watch import AGAIN_BYTES, LEAST_BYTES, RoomWatch
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard
from benchd.words.slot import ProblemCode

pytestmark = pytest.mark.asyncio

PLENTY = 100 * AGAIN_BYTES
BLOCK = 4096


class Disks:
    """FAKE: file systems by folder, each with so much room, or one that doesn't answer."""

    def __init__(self, ledger: Path, certificates: Path) -> None:
        self.ledger = ledger
        self.room: dict[Path, int | OSError] = {ledger: PLENTY, certificates: PLENTY}
        self.blocks = 10**9
        self.board = RackBoard()
        self.admission = Admission()
        self.watch = RoomWatch(self.room, board=self.board, admission=self.admission)
        self.logged: list[str] = []

    def statvfs(self, folder: Path) -> os.statvfs_result:
        room = self.room[folder]
        if isinstance(room, OSError):
            raise room
        blocks = room // BLOCK
        return os.statvfs_result((BLOCK, BLOCK, self.blocks, blocks, blocks, 0, 0, 0, 0, 255))

    async def look(self) -> ProblemCode | None:
        """Look once; why no job may begin."""
        with capture_logs() as logs:
            await self.watch.look()
        self.logged = [str(line["event"]) for line in logs]
        shown = [view.code for view in self.board.notices()]
        held = self.admission.held_for
        assert shown == ([] if held is None else [held])
        return held


@pytest.fixture
def disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disks:
    disks = Disks(tmp_path / "ledger", tmp_path / "certificates")
    monkeypatch.setattr(os, "statvfs", disks.statvfs)
    return disks


async def test_room_enough_holds_nothing(disks: Disks) -> None:
    disks.room[disks.ledger] = LEAST_BYTES
    assert await disks.look() is None
    assert disks.logged == []


@pytest.mark.parametrize("name", ["ledger", "certificates"])
async def test_either_disk_holds_the_jobs_once_and_is_told_once(disks: Disks, name: str) -> None:
    folder = disks.ledger.with_name(name)
    disks.room[folder] = LEAST_BYTES - BLOCK
    assert await disks.look() is ProblemCode.DISK_FULL
    assert disks.logged == ["disk_full"]
    assert await disks.look() is ProblemCode.DISK_FULL
    assert disks.logged == []


async def test_jobs_begin_again_once_there_is_clearly_more(disks: Disks) -> None:
    disks.room[disks.ledger] = 0
    await disks.look()
    disks.room[disks.ledger] = AGAIN_BYTES - BLOCK
    assert await disks.look() is ProblemCode.DISK_FULL
    disks.room[disks.ledger] = AGAIN_BYTES
    assert await disks.look() is None
    assert disks.logged == ["disk_has_room"]


async def test_a_disk_that_tells_nothing_neither_holds_nor_releases(disks: Disks) -> None:
    disks.room = dict.fromkeys(disks.room, OSError("no such device"))
    assert await disks.look() is None
    disks.room = dict.fromkeys(disks.room, 0)
    assert await disks.look() is ProblemCode.DISK_FULL
    disks.room = dict.fromkeys(disks.room, OSError("no such device"))
    assert await disks.look() is ProblemCode.DISK_FULL


async def test_a_file_system_without_a_size_isnt_a_full_one(disks: Disks) -> None:
    disks.room = dict.fromkeys(disks.room, 0)
    disks.blocks = 0
    assert await disks.look() is None


async def test_a_real_disk_is_asked(tmp_path: Path) -> None:
    board, admission = RackBoard(), Admission()
    told = os.statvfs(tmp_path)
    await RoomWatch([tmp_path], board=board, admission=admission).look()
    assert (admission.held_for is None) == (told.f_bavail * told.f_frsize >= LEAST_BYTES)
