"""What stands on the wall until it's over: the tray, unusable wanted lists and printers."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import anyio
import pytest
from pydantic import BeforeValidator, ConfigDict, TypeAdapter
from structlog.testing import capture_logs

from benchd.certificate import create_key, load_key
from benchd.config.watch_lists import watch_list
from benchd.daemon import interrupted_handsets
from benchd.daemon.interrupted_handsets import TrayWatch
from benchd.daemon.rack_labels import PrinterWatch
from benchd.daemon.watch_list_reload import ListWatch, lists_of
from benchd.domain.disposal import DisposalState, Settling
from benchd.domain.ids import Evidence, JobId
from benchd.domain.label import LabelEnd, PrinterTrouble
from benchd.domain.ports import Ledger
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode
from benchd.ledger import open_ledger
from benchd.ledger.records.records_access import Records
from benchd.observe.announcing_ledger import AnnouncingLedger
from benchd.observe.metrics import RackMetrics
from benchd.pipelines.recipe import Recipe
from benchd.pipelines.stages.gates import GatesStage
from benchd.proof.watch_list import WatchList
from benchd.slots.board import RackBoard
from benchd.slots.disposal_desk import DisposalDesk
from benchd.texts.catalogue import Catalogue
from tests.core.world import make_recipe
from tests.ledger.records.records_rack import Told
from tests.people.somebody import somebody
from tests.web.web_fakes import FakeClock

pytestmark = pytest.mark.asyncio

ONE, OTHER = "356938035643809", "490154203237518"


def listed(file: Path) -> WatchList:
    """As a recipe that names the file has it."""
    read = Annotated[WatchList | None, BeforeValidator(watch_list)]
    adapter: TypeAdapter[WatchList | None] = TypeAdapter(
        read, config=ConfigDict(arbitrary_types_allowed=True)
    )
    found = adapter.validate_python(str(file))
    assert found is not None
    return found


class Shop:
    """A rack whose only recipe looks into one list."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "wanted.txt"
        self.write(f"{ONE}\n")
        self.listed = listed(self.file)
        recipe = make_recipe(gates=GatesStage(watch_list=self.listed))
        self.recipes: dict[str, Recipe] = {"overwrite": recipe}
        self.board = RackBoard()
        self.watch = ListWatch(lambda: self.recipes, self.board)
        self.logged: list[str] = []

    def write(self, text: str) -> None:
        """As an editor does: a new file under the old name."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.file)

    async def look(self) -> list[ProblemCode]:
        with capture_logs() as logs:
            await self.watch.look()
        self.logged = [str(one["event"]) for one in logs]
        return [view.code for view in self.board.notices()]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


async def test_a_changed_file_counts_without_a_reload(shop: Shop) -> None:
    assert await shop.look() == []
    assert shop.logged == []
    shop.write(f"{ONE}\n{OTHER}\n")
    assert await shop.look() == []
    assert shop.logged == ["watch_list_renewed"]
    assert shop.listed.wanted.imeis == {ONE, OTHER}
    assert [one.wanted.sha256 for one in lists_of(shop.recipes)] == [shop.listed.wanted.sha256]


async def test_a_change_within_one_second_and_of_one_length_is_seen(shop: Shop) -> None:
    before = shop.file.stat()
    with shop.file.open("r+") as file:
        file.write(OTHER)
    os.utime(shop.file, ns=(before.st_atime_ns, before.st_mtime_ns))
    await shop.look()
    assert shop.listed.wanted.imeis == {OTHER}


@pytest.mark.parametrize("wrong", ["half a li", "gone", "folder"])
async def test_what_cannot_be_used_is_told_once_and_the_former_stays(
    shop: Shop, wrong: str
) -> None:
    if wrong == "half a li":
        shop.write(f"{ONE}\n{OTHER[:9]}")
    else:
        shop.file.unlink()
    if wrong == "folder":
        shop.file.mkdir()
    assert await shop.look() == [ProblemCode.WATCH_LIST_REFUSED]
    assert shop.logged == ["watch_list_refused"]
    assert shop.listed.wanted.imeis == {ONE}
    assert await shop.look() == [ProblemCode.WATCH_LIST_REFUSED]
    assert shop.logged == []
    says = Catalogue.load().problem(shop.board.notices()[0])
    assert "journalctl -u benchd" in says.what_to_do.ja
    if wrong == "folder":
        shop.file.rmdir()
    shop.write(f"{OTHER}\n")
    assert await shop.look() == []
    assert shop.listed.wanted.imeis == {OTHER}


async def test_another_recipe_after_a_reload_is_looked_after(shop: Shop, tmp_path: Path) -> None:
    shop.write("broken")
    assert await shop.look() == [ProblemCode.WATCH_LIST_REFUSED]
    shop.recipes = {"overwrite": make_recipe(gates=GatesStage())}
    assert await shop.look() == []


async def exposed(metrics: RackMetrics) -> set[str]:
    body, _ = await metrics.expose("text/plain")
    lines = body.decode().splitlines()
    return {line for line in lines if line.startswith(("benchd_label", "benchd_printer"))}


async def test_each_printer_has_its_series_from_the_start_and_no_other_gets_one() -> None:
    metrics = RackMetrics(slots=(), recipes=(), stages=(), version="1")
    watch = PrinterWatch(["till", "back"], board=RackBoard(), metrics=metrics.labels)
    before = await exposed(metrics)
    assert len(before) == 2 * (len(LabelEnd) + 2)
    assert 'benchd_printer_up{printer="till"} 1.0' in before
    assert 'benchd_labels_total{end="sent",printer="back"} 0.0' in before
    watch.label_ended("elsewhere", "job", LabelEnd.SENT)
    watch.waits("elsewhere", 3)
    assert await exposed(metrics) == before


async def test_a_notice_names_those_that_take_nothing_until_each_takes_a_label() -> None:
    metrics, board = RackMetrics(slots=(), recipes=(), stages=(), version="1"), RackBoard()
    watch = PrinterWatch(["till", "back"], board=board, metrics=metrics.labels)
    watch.printer_reported("till", None)
    assert board.notices() == ()
    watch.printer_reported("till", PrinterTrouble.ATTENTION)
    watch.printer_reported("back", PrinterTrouble.UNREACHABLE)
    (notice,) = board.notices()
    assert (notice.code, notice.facts) == (ProblemCode.PRINTER_FAULT, {"printers": "till, back"})
    watch.label_ended("till", "20261126-0011223344", LabelEnd.BROKE_OFF)
    watch.waits("back", 7)
    told = await exposed(metrics)
    assert 'benchd_printer_up{printer="till"} 0.0' in told
    assert 'benchd_labels_total{end="broke_off",printer="till"} 1.0' in told
    assert 'benchd_labels_waiting{printer="back"} 7.0' in told
    assert not [line for line in told if "20261126" in line]
    watch.printer_reported("till", None)
    (notice,) = board.notices()
    assert notice.facts == {"printers": "back"}
    watch.printer_reported("back", None)
    assert board.notices() == ()


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
    ended: Evidence = {
        "outcome": "aborted",
        "disposition": "hold",
        "reason": "unplugged",
        "certificate": None,
    }
    for record in told.stored:
        entry = record.entry
        if entry.kind is EntryKind.JOB_ENDED:
            entry = replace(entry, data={**entry.data, **ended})
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
    monkeypatch.setattr(interrupted_handsets, "MOST_SHOWN", 2)
    jobs = [JobId(f"2026110{number}-0000000001") for number in (3, 4, 5)]
    async with watched(tmp_path) as (ledger, board):
        for job in jobs:
            await pulled_out(ledger, job, imei=f"35693803564380{job[7]}")
        await until(board, lambda: [item.job for item in board.tray()] == jobs[1:])
