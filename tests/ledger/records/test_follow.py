"""The read model follows its ledger, and is thrown away rather than believed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import apsw
import pytest
from records_rack import IMEI, START, FakeFeed, Told

from benchd.certificate import create_key
from benchd.domain.disposal import DisposalState
from benchd.domain.errors import LedgerFault, RecordsUnavailable
from benchd.domain.ids import JobId
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.report import ALL, Asked, Figure
from benchd.ledger import follower, open_ledger
from benchd.ledger.records.records_access import Records
from benchd.ledger.records.records_database import FORM
from benchd.observe.announcing_ledger import AnnouncingLedger

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def following(records: Records) -> AsyncGenerator[None]:
    async with anyio.create_task_group() as group:
        group.start_soon(records.run)
        with anyio.fail_after(30):
            yield
        group.cancel_scope.cancel()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "AFTER_FAULT_S", 0.01)


def opened(number: int) -> Entry:
    data = {"recipe": "overwrite", "usb_serial": f"USB{number:05}"}
    job = JobId(f"job-{number:05}")
    return Entry(kind=EntryKind.JOB_OPENED, at=START, job=job, data=data)


async def jobs_known(records: Records) -> int:
    """How many have ended without a sale, settled ones too."""
    return len(await records.items(tuple(DisposalState)))


async def test_it_is_true_up_to_the_last_record_that_is_on_disk(tmp_path: Path) -> None:
    key = create_key(tmp_path / "key.pem")
    async with open_ledger(tmp_path / "ledger.sqlite", head_key=key) as stored:
        for number in range(3):
            await stored.append(opened(number))
        records = Records(tmp_path / "records.sqlite", stored)
        ledger = AnnouncingLedger(stored, records.follower, lambda: None)
        async with following(records):
            await records.reached(3)
            receipt = await ledger.append(opened(3))
            for number in range(4, 1300):
                receipt = await ledger.append(opened(number))
            await records.reached(receipt.sequence)
            assert records.upto.hash == receipt.hash_hex
            asked = Asked(begin=START, end=START.replace(year=2030))
            report = await records.report(asked, named=False)
            assert report.figures[Figure.CAME_IN][ALL].handsets == 1300
            found = await records.find("USB01299")
        assert [line.newest.job for line in found.handsets] == ["job-01299"]


async def test_what_was_added_while_it_was_away_is_caught_up_with(tmp_path: Path) -> None:
    told = Told()
    told.whole("job-1")
    for jobs in (1, 2):
        records = Records(tmp_path / "records.sqlite", FakeFeed(told))
        async with following(records):
            await records.reached(len(told.stored))
            assert await jobs_known(records) == jobs
        told.whole("job-2")


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def scribble(path: Path) -> None:
    """One byte in each page but the first: SQLite would take most of them for what was written."""
    with path.open("r+b") as file:
        for at in range(4096 + 2000, path.stat().st_size, 4096):
            file.seek(at)
            [byte] = file.read(1)
            file.seek(at)
            file.write(bytes([byte ^ 0xFF]))


def text(path: Path) -> None:
    path.write_text("not a database at all" * 1000)


def another_database(path: Path) -> None:
    path.unlink()
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE job (id INTEGER)")
    connection.close()


def older_form(path: Path) -> None:
    connection = apsw.Connection(str(path), vfs="cksmvfs")
    connection.execute(f"PRAGMA user_version = {FORM - 1}")
    connection.close()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut": cut,
    "scribbled": scribble,
    "text": text,
    "empty": lambda path: path.write_bytes(b""),
    "another database": another_database,
    "an older form": older_form,
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_or_foreign_file_is_made_anew(tmp_path: Path, damage: str) -> None:
    told = Told()
    for number in range(40):
        told.whole(f"job-{number:04}", serial=f"SERIAL{number:06}")
    path = tmp_path / "records.sqlite"
    records = Records(path, FakeFeed(told))
    async with following(records):
        await records.reached(len(told.stored))
    DAMAGES[damage](path)
    records = Records(path, FakeFeed(told))
    async with following(records):
        while True:
            try:
                await records.reached(len(told.stored))
                if await jobs_known(records) == 40 and (await records.find("SERIAL")).handsets:
                    break
            except RecordsUnavailable:
                await anyio.sleep(0.005)
        assert (await records.handset("job-0039")).jobs[-1].serial == "SERIAL000039"


async def test_the_file_of_another_ledger_is_never_believed(tmp_path: Path) -> None:
    told, others = Told(), Told()
    told.whole("job-1")
    for number in range(5):
        others.whole(f"other-{number}", imei="352099001761481")
    others.stored[2:3] = [
        type(others.stored[2])(sequence=3, entry=others.stored[2].entry, hash_hex="ff" * 32)
    ]
    records = Records(tmp_path / "records.sqlite", FakeFeed(others))
    async with following(records):
        await records.reached(len(others.stored))
    records = Records(tmp_path / "records.sqlite", FakeFeed(told))
    async with following(records):
        await records.reached(len(told.stored))
        assert await jobs_known(records) == 1
        assert not (await records.find("0139770001")).handsets


async def test_a_ledger_that_was_put_back_takes_the_rest_with_it(tmp_path: Path) -> None:
    told = Told()
    told.whole("job-1")
    told.whole("job-2")
    records = Records(tmp_path / "records.sqlite", FakeFeed(told))
    async with following(records):
        await records.reached(6)
    del told.stored[3:]
    records = Records(tmp_path / "records.sqlite", FakeFeed(told))
    async with following(records):
        await records.reached(3)
        assert await jobs_known(records) == 1


async def test_made_anew_it_says_the_same(tmp_path: Path) -> None:
    told = Told()
    for number in range(5):
        told.whole(f"job-{number}")
    records = Records(tmp_path / "records.sqlite", FakeFeed(told))
    async with following(records):
        await records.reached(15)
        before = (await records.handset("job-0"), await records.items())
        remade = records.remade
        records.make_anew()
        await records.until(lambda: records.remade > remade and records.upto.sequence == 15)
        assert (await records.handset("job-0"), await records.items()) == before


async def test_a_ledger_that_cannot_be_read_for_now_is_asked_again(tmp_path: Path) -> None:
    told = Told()
    told.whole("job-1")
    feed = FakeFeed(told)
    asked: list[int] = []

    class Stumbling(FakeFeed):
        async def entries_after(self, sequence: int, most: int) -> Sequence[StoredEntry]:
            asked.append(sequence)
            if len(asked) < 3:
                raise LedgerFault("an earlier read still hangs")
            return await feed.entries_after(sequence, most)

    records = Records(tmp_path / "records.sqlite", Stumbling(told))
    async with following(records):
        await records.reached(3)
        assert (await records.find(IMEI)).handsets


async def test_its_file_is_nobody_elses(tmp_path: Path) -> None:
    records = Records(tmp_path / "records.sqlite", FakeFeed(Told()))
    async with following(records):
        await records.until((tmp_path / "records.sqlite").exists)
    assert (tmp_path / "records.sqlite").stat().st_mode & 0o077 == 0
