"""Appends come first: no read, however slow, is waited for."""

from __future__ import annotations

import threading
from collections.abc import Generator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from ledger_rack import RackKey, make_entry

from benchd.errors import LedgerFault
from benchd.ledger import SqliteLedger, open_ledger, store, verify_ledger
from benchd.words.ids import JobId
from benchd.words.record import StoredEntry


class SlowDisk:
    """Lets a read stop inside the database until it is let go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.moves = threading.Event()

    def __call__(self, *_: object) -> int:
        self.reached.set()
        self.moves.wait()
        return 1

    def put_under(self, ledger: SqliteLedger) -> None:
        ledger._reader._connection.create_scalar_function("slow_disk", self)

    async def until_reached(self) -> None:
        await anyio.to_thread.run_sync(self.reached.wait)


@pytest.fixture
def disk() -> Generator[SlowDisk]:
    slow = SlowDisk()
    yield slow
    slow.moves.set()


async def read_slowly(ledger: SqliteLedger) -> list[StoredEntry]:
    return await ledger._select("WHERE slow_disk() AND job = ? ORDER BY sequence", JobId("job-0"))


@pytest.mark.asyncio
async def test_an_append_ends_before_a_read_that_began_first(
    tmp_path: Path, key: RackKey, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So few that a checkpoint falls due, too, while the read holds on to what it reads.
    monkeypatch.setattr(store, "CHECKPOINT_PAGES", 3)
    path = tmp_path / "ledger.db"
    ended: list[str] = []
    async with open_ledger(path, head_key=key) as ledger:
        for number in range(5):
            await ledger.append(make_entry(number))
        disk.put_under(ledger)

        async def read() -> None:
            ended.append(f"read {len(await read_slowly(ledger))}")

        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await disk.until_reached()
            for number in range(5, 60):
                await ledger.append(make_entry(number))
            ended.append("appends")
            disk.moves.set()
        await ledger.append(make_entry(60))
        assert path.with_name("ledger.db-wal").stat().st_size < 60 * 4120
        assert len(await ledger.entries(JobId("job-5"))) == 10
    assert ended == ["appends", "read 5"]
    assert verify_ledger(path, key.public_key_pem).records == 61


@pytest.mark.asyncio
async def test_a_read_that_hangs_costs_no_append(
    tmp_path: Path, key: RackKey, disk: SlowDisk
) -> None:
    async with open_ledger(tmp_path / "ledger.db", head_key=key, deadline_s=0.2) as ledger:
        await ledger.append(make_entry(0))
        disk.put_under(ledger)
        with pytest.raises(LedgerFault, match="no answer within"):
            await read_slowly(ledger)
        assert (await ledger.append(make_entry(1))).sequence == 2
        with pytest.raises(LedgerFault, match="no answer within"):
            await ledger.entries(JobId("job-0"))
        assert (await ledger.append(make_entry(2))).sequence == 3
        disk.moves.set()
        await anyio.to_thread.run_sync(ledger._reader._call.acquire)
        ledger._reader._call.release()
        assert len(await ledger.entries(JobId("job-0"))) == 3


@pytest.mark.asyncio
async def test_the_reading_connection_changes_nothing(tmp_path: Path, key: RackKey) -> None:
    async with open_ledger(tmp_path / "ledger.db", head_key=key) as ledger:
        await ledger.append(make_entry(0))
        for statement in ("DELETE FROM record", "DROP TRIGGER record_is_never_deleted"):
            with pytest.raises(LedgerFault, match="read"), ledger._reader._turn() as connection:
                connection.execute(statement)
