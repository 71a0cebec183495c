"""A disk that is nearly full lets no job begin, and says so until there is room again."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from benchd.daemon import disk_space
from benchd.daemon.disk_space import (
    LEAST_BYTES,
    LEAST_FILES,
    DiskSpace,
    DiskSpaceWatch,
    disk_space_in,
)
from benchd.domain.slot import ProblemCode
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard

LEDGER, CERTIFICATES = Path("/of/the/ledger"), Path("/of/certificates")
ENOUGH, FULL = DiskSpace(LEAST_BYTES, None), DiskSpace(LEAST_BYTES - 1, None)


class Rack:
    """What a rack shows and admits by what it is told of its disks."""

    def __init__(self) -> None:
        self.board = RackBoard()
        self.admission = Admission()
        self.watch = DiskSpaceWatch(
            (LEDGER, CERTIFICATES), board=self.board, admission=self.admission
        )
        self.logged: list[str] = []

    def told(self, folder: Path, room: DiskSpace) -> ProblemCode | None:
        """Why no job may begin after that."""
        with capture_logs() as logs:
            self.watch.told(folder, room)
        self.logged = [str(line["event"]) for line in logs]
        shown = [view.code for view in self.board.notices()]
        held = self.admission.held_for
        assert shown == ([] if held is None else [held])
        return held


def test_room_enough_holds_nothing() -> None:
    rack = Rack()
    assert rack.told(LEDGER, ENOUGH) is None
    assert rack.logged == []


@pytest.mark.parametrize("folder", [LEDGER, CERTIFICATES])
@pytest.mark.parametrize("room", [FULL, DiskSpace(10**12, LEAST_FILES - 1)])
def test_either_disk_without_room_holds_the_jobs_and_is_told_once(
    folder: Path, room: DiskSpace
) -> None:
    rack = Rack()
    assert rack.told(folder, room) is ProblemCode.DISK_FULL
    assert rack.logged == ["disk_full"]
    assert rack.told(folder, room) is ProblemCode.DISK_FULL
    assert rack.logged == []
    assert rack.told(folder, DiskSpace(LEAST_BYTES, LEAST_FILES)) is None
    assert rack.logged == ["disk_has_room"]


def test_room_on_the_one_disk_excuses_nothing_on_the_other() -> None:
    rack = Rack()
    rack.told(LEDGER, FULL)
    rack.told(CERTIFICATES, FULL)
    assert rack.told(CERTIFICATES, DiskSpace(10**12, None)) is ProblemCode.DISK_FULL
    assert rack.told(LEDGER, ENOUGH) is None


def test_a_real_disk_is_asked_and_what_has_no_size_tells_nothing(tmp_path: Path) -> None:
    told = os.statvfs(tmp_path)
    room = disk_space_in(tmp_path)
    assert room is not None
    assert room.bytes == pytest.approx(told.f_bavail * told.f_frsize, rel=0.5)
    assert disk_space_in(Path("/proc")) is None
    assert disk_space_in(tmp_path / "gone") is None


@pytest.mark.asyncio
async def test_a_disk_that_hangs_keeps_nobody_from_looking_at_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hangs = threading.Event()

    def room(folder: Path) -> DiskSpace:
        if folder == CERTIFICATES:
            hangs.wait(timeout=50)
        return FULL

    monkeypatch.setattr(disk_space, "disk_space_in", room)
    rack = Rack()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(rack.watch.run)
        with anyio.fail_after(30):
            while rack.admission.held_for is None:
                await rack.admission.changed()
        tasks.cancel_scope.cancel()
    hangs.set()
