"""What holds a rack's door: a full disk, a broken ledger, nobody who administers it."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import anyio
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from benchd.daemon import disk_space
from benchd.daemon.disk_space import (
    LEAST_BYTES,
    LEAST_FILES,
    DiskSpace,
    DiskSpaceWatch,
    disk_space_in,
)
from benchd.daemon.integrity import Integrity
from benchd.daemon.rack_people import LOOK_EVERY_S, Staffing
from benchd.domain.people import Role
from benchd.domain.slot import ProblemCode
from benchd.observe.ledger_metrics import LedgerMetrics
from benchd.people.person_register import People
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard
from benchd.texts.catalogue import Catalogue
from tests.people.people_rig import BY, HandClock, people_in

LEDGER, CERTIFICATES = Path("/of/the/ledger"), Path("/of/certificates")
ENOUGH, FULL = DiskSpace(LEAST_BYTES, None), DiskSpace(LEAST_BYTES - 1, None)


class Disks:
    """What a rack shows and admits by what it is told of its disks."""

    def __init__(self) -> None:
        self.board = RackBoard()
        self.admission = Admission()
        self.watch = DiskSpaceWatch(
            (LEDGER, CERTIFICATES), board=self.board, admission=self.admission
        )
        self.logged: list[str] = []

    def report(self, folder: Path, room: DiskSpace) -> ProblemCode | None:
        """Why no job may begin after that."""
        with capture_logs() as logs:
            self.watch.report(folder, room)
        self.logged = [str(line["event"]) for line in logs]
        shown = [view.code for view in self.board.notices()]
        held = self.admission.held_for
        assert shown == ([] if held is None else [held])
        return held


@pytest.mark.parametrize("folder", [LEDGER, CERTIFICATES])
@pytest.mark.parametrize("room", [FULL, DiskSpace(10**12, LEAST_FILES - 1)])
def test_either_disk_without_room_holds_the_jobs_and_is_told_once(
    folder: Path, room: DiskSpace
) -> None:
    disks = Disks()
    for told, held, logged in (
        (ENOUGH, None, []),
        (room, ProblemCode.DISK_FULL, ["disk_full"]),
        (room, ProblemCode.DISK_FULL, []),
        (DiskSpace(LEAST_BYTES, LEAST_FILES), None, ["disk_has_room"]),
    ):
        assert (disks.report(folder, told), disks.logged) == (held, logged)


def test_room_on_the_one_disk_excuses_nothing_on_the_other() -> None:
    disks = Disks()
    disks.report(LEDGER, FULL)
    disks.report(CERTIFICATES, FULL)
    assert disks.report(CERTIFICATES, DiskSpace(10**12, None)) is ProblemCode.DISK_FULL
    assert disks.report(LEDGER, ENOUGH) is None


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
    rack = Disks()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(rack.watch.run)
        with anyio.fail_after(30):
            while rack.admission.held_for is None:
                await rack.admission.changed()
        tasks.cancel_scope.cancel()
    hangs.set()


AT = datetime(2026, 11, 24, tzinfo=UTC)


class Ledgers:
    def __init__(self) -> None:
        self.board = RackBoard()
        self.admission = Admission()
        self.registry = CollectorRegistry()
        metrics = LedgerMetrics(self.registry)
        metrics.anchors.is_used = True
        self.integrity = Integrity(board=self.board, admission=self.admission, metrics=metrics)

    def notices(self) -> list[ProblemCode]:
        return [view.code for view in self.board.notices()]

    def broken(self) -> float | None:
        return self.registry.get_sample_value("benchd_ledger_broken")

    def anchored(self) -> float | None:
        return self.registry.get_sample_value("benchd_ledger_anchored_sequence")


def test_a_break_holds_the_door_until_a_sound_pass_which_outweighs_no_anchor() -> None:
    rack, broken = Ledgers(), ProblemCode.LEDGER_BROKEN
    rack.integrity.broken("record 7")
    assert (rack.admission.held_for, rack.broken(), rack.notices()) == (broken, 1, [broken])
    rack.integrity.sound(AT)
    assert (rack.admission.held_for, rack.broken(), rack.notices()) == (None, 0, [])
    rack.integrity.diverged()
    rack.integrity.sound(AT)
    assert (rack.admission.held_for, rack.broken(), rack.notices()) == (broken, 1, [broken])


def test_an_anchor_that_is_away_is_a_line_and_no_stop() -> None:
    rack, away = Ledgers(), [ProblemCode.ANCHOR_UNREACHABLE]
    rack.integrity.anchor_unreachable()
    assert (rack.admission.held_for, rack.notices()) == (None, away)
    # What a former daemon has sent out says nothing of the anchor now.
    rack.integrity.anchored_before(6, AT)
    assert (rack.notices(), rack.anchored()) == (away, 6)
    rack.integrity.anchored(7, AT)
    assert (rack.notices(), rack.anchored()) == ([], 7)


def notices(board: RackBoard) -> list[ProblemCode]:
    return [view.code for view in board.notices()]


@pytest.mark.asyncio
async def test_nobody_then_somebody_then_nobody(tmp_path: Path) -> None:
    board, admission, clock = RackBoard(), Admission(), HandClock()
    async with people_in(tmp_path, clock=clock) as people, anyio.create_task_group() as group:
        staffing = Staffing(people, board=board, admission=admission)
        group.start_soon(staffing.run)
        assert admission.held_for is ProblemCode.NO_ADMINISTRATOR
        assert notices(board) == [ProblemCode.NO_ADMINISTRATOR]
        says = Catalogue.load().problem(board.notices()[0])
        assert "benchd setup" in says.what_to_do.ja
        assert "benchd setup" in says.what_to_do.en
        await people.add(BY, "mori", name="森 葵", roles=[Role.OPERATOR])
        await anyio.wait_all_tasks_blocked()
        assert admission.held_for is ProblemCode.NO_ADMINISTRATOR
        admission.hold(ProblemCode.LEDGER_BROKEN)
        await people.add(BY, "sato", name="佐藤 健", roles=[Role.ADMINISTRATOR])
        await anyio.wait_all_tasks_blocked()
        assert notices(board) == []
        # What else holds the door goes on holding it.
        assert admission.held_for is ProblemCode.LEDGER_BROKEN
        admission.release(ProblemCode.LEDGER_BROKEN)
        assert admission.held_for is None
        group.cancel_scope.cancel()
    async with people_in(tmp_path, clock=clock) as people:
        Staffing(people, board=board, admission=admission)
        assert admission.held_for is None


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_time_that_comes_is_noticed_by_itself() -> None:
    board, admission, there = RackBoard(), Admission(), [True]
    # Fake people whose administrator goes at some time, which nothing tells.
    people = SimpleNamespace(
        changed=SimpleNamespace(wait=anyio.sleep_forever), has_administrator=lambda: there[0]
    )
    staffing = Staffing(cast("People", people), board=board, admission=admission)
    async with anyio.create_task_group() as group:
        group.start_soon(staffing.run)
        there[0] = False
        await anyio.sleep(LOOK_EVERY_S + 1)
        assert admission.held_for is ProblemCode.NO_ADMINISTRATOR
        group.cancel_scope.cancel()
