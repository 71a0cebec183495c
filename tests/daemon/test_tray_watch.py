"""The tray on the wall is the ledger's: told at once, and again after a restart."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from benchd.certificate import create_key, load_key
from benchd.daemon import tray_watch
from benchd.daemon.tray_watch import TrayWatch
from benchd.domain.disposal import DisposalState, Settling
from benchd.domain.ids import JobId
from benchd.domain.ports import Ledger
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import open_ledger
from benchd.ledger.records.records_access import Records
from benchd.observe.announcing_ledger import AnnouncingLedger
from benchd.slots.board import RackBoard
from benchd.slots.disposal_desk import DisposalDesk
from tests.ledger.records.records_rack import Told
from tests.people.somebody import somebody
from tests.web.web_fakes import FakeClock

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def watched(folder: Path) -> AsyncGenerator[tuple[Ledger, RackBoard]]:
    """A daemon's part: its ledger, the read model beside it, and the board that is shown."""
    file = folder / "key.pem"
    key = load_key(file) if file.exists() else create_key(file)
    async with open_ledger(folder / "ledger.sqlite", head_key=key) as stored:
        records = Records(folder / "records.sqlite", stored)
        ledger = AnnouncingLedger(stored, records.follower, lambda: None)
        board = RackBoard()
        async with anyio.create_task_group() as group:
            group.start_soon(records.run)
            group.start_soon(TrayWatch(records, board).run)
            with anyio.fail_after(30):
                yield ledger, board
            group.cancel_scope.cancel()


async def until(board: RackBoard, holds: Callable[[], bool]) -> None:
    while not holds():
        await board.changed(board.version)


async def pulled_out(ledger: Ledger, job: JobId, **changes: object) -> None:
    """A whole job up to its end, which says that the handset was unplugged."""
    told = Told()
    told.whole(job, **changes)
    for record in told.stored:
        entry = record.entry
        if entry.kind is EntryKind.JOB_ENDED:
            ended = {
                "outcome": "aborted",
                "disposition": "hold",
                "reason": "unplugged",
                "certificate": None,
            }
            entry = Entry(
                kind=entry.kind,
                at=entry.at,
                slot=entry.slot,
                occupancy=entry.occupancy,
                job=job,
                data={**entry.data, **ended},
            )
        await ledger.append(entry)


async def test_what_was_pulled_out_is_on_the_wall_until_somebody_settles_it(
    tmp_path: Path,
) -> None:
    job = JobId("20261103-0000000001")
    async with watched(tmp_path) as (ledger, board):
        assert board.tray() == ()
        await pulled_out(ledger, job)
        await until(board, lambda: bool(board.tray()))
        (item,) = board.tray()
        assert (item.job, item.model, item.serial) == (job, "SO-51B", "HQ61230001")
    # Another daemon over the same ledger knows of it, before anything happens.
    async with watched(tmp_path) as (ledger, board):
        await until(board, lambda: bool(board.tray()))
        desk = DisposalDesk(ledger, FakeClock())
        await desk.dispose(
            job, Settling(to=DisposalState.TO_DESTROY, note="画面割れ"), somebody("sato")
        )
        await until(board, lambda: not board.tray())


async def test_of_a_full_tray_the_newest_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tray_watch, "MOST_SHOWN", 2)
    jobs = [JobId(f"2026110{number}-0000000001") for number in (3, 4, 5)]
    async with watched(tmp_path) as (ledger, board):
        for job in jobs:
            await pulled_out(ledger, job, imei=f"35693803564380{job[7]}")
        await until(board, lambda: [item.job for item in board.tray()] == jobs[1:])
