"""The read model follows its ledger, and is thrown away rather than believed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
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
from benchd.ledger.ledger_queries import LedgerReads
from benchd.ledger.records.records_access import Records
from benchd.ledger.records.records_database import FORM
from benchd.observe.announcing_ledger import AnnouncingLedger

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def following(path: Path, ledger: LedgerReads) -> AsyncGenerator[Records]:
    records = Records(path, ledger)
    async with anyio.create_task_group() as group:
        group.start_soon(records.run)
        with anyio.fail_after(30):
            yield records
        group.cancel_scope.cancel()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.sqlite"


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


async def test_it_is_true_up_to_the_last_record_that_is_on_disk(path: Path, tmp_path: Path) -> None:
    key = create_key(tmp_path / "key.pem")
    async with open_ledger(tmp_path / "ledger.sqlite", head_key=key) as stored:
        for number in range(3):
            await stored.append(opened(number))
        async with following(path, stored) as records:
            ledger = AnnouncingLedger(stored, records.follower, lambda: None)
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
    assert path.stat().st_mode & 0o077 == 0


async def test_it_catches_up_with_what_was_added_while_it_was_away_or_taken_back(
    path: Path, told: Told
) -> None:
    for jobs in (1, 2, 1):
        told.whole(f"job-{jobs}")
        del told.stored[3 * jobs :]
        async with following(path, FakeFeed(told)) as records:
            await records.reached(len(told.stored))
            assert await jobs_known(records) == jobs


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
async def test_a_damaged_or_foreign_file_is_made_anew(path: Path, told: Told, damage: str) -> None:
    for number in range(40):
        told.whole(f"job-{number:04}", serial=f"SERIAL{number:06}")
    async with following(path, FakeFeed(told)) as records:
        await records.reached(len(told.stored))
    DAMAGES[damage](path)
    async with following(path, FakeFeed(told)) as records:
        while True:
            try:
                await records.reached(len(told.stored))
                if await jobs_known(records) == 40 and (await records.find("SERIAL")).handsets:
                    break
            except RecordsUnavailable:
                await anyio.sleep(0.005)
        assert (await records.handset("job-0039")).jobs[-1].serial == "SERIAL000039"


async def test_the_file_of_another_ledger_is_never_believed(path: Path, told: Told) -> None:
    told.whole("job-1")
    others = Told()
    for number in range(5):
        others.whole(f"other-{number}", imei="352099001761481")
    others.stored[2] = replace(others.stored[2], hash_hex="ff" * 32)
    async with following(path, FakeFeed(others)) as records:
        await records.reached(len(others.stored))
    async with following(path, FakeFeed(told)) as records:
        await records.reached(len(told.stored))
        assert await jobs_known(records) == 1
        assert not (await records.find("0139770001")).handsets


async def test_made_anew_it_says_the_same(path: Path, told: Told) -> None:
    for number in range(5):
        told.whole(f"job-{number}")
    async with following(path, FakeFeed(told)) as records:
        await records.reached(15)
        before = (await records.handset("job-0"), await records.items())
        remade = records.remade
        records.make_anew()
        await records.until(lambda: records.remade > remade and records.upto.sequence == 15)
        assert (await records.handset("job-0"), await records.items()) == before


async def test_a_ledger_that_cannot_be_read_for_now_is_asked_again(path: Path, told: Told) -> None:
    told.whole("job-1")
    asked: list[int] = []

    class Stumbling(FakeFeed):
        async def entries_after(self, sequence: int, most: int) -> Sequence[StoredEntry]:
            asked.append(sequence)
            if len(asked) < 3:
                raise LedgerFault("an earlier read still hangs")
            return await FakeFeed(told).entries_after(sequence, most)

    async with following(path, Stumbling(told)) as records:
        await records.reached(3)
        assert (await records.find(IMEI)).handsets
