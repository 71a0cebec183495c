"""Appends come first, then slots: no visitor's read is waited for, and slowness is no fault."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from pathlib import Path

import anyio
import anyio.to_thread
import apsw
import pytest
import pytest_asyncio
from ledger_rack import RackKey, add, make_entries, make_entry
from structlog.testing import capture_logs

from benchd.domain.errors import LedgerBroken, LedgerBusy, LedgerFault
from benchd.domain.ids import JobId
from benchd.domain.record import EntryKind, StoredEntry
from benchd.ledger import SqliteLedger, ledger_store, open_ledger, verify_ledger
from benchd.ledger import read_turns as turns
from benchd.ledger.read_turns import ReadTurns
from benchd.ledger.reader import LedgerReader

pytestmark = pytest.mark.asyncio

SLOWLY = "WHERE slow_disk() AND job = ? ORDER BY sequence"
JOB = JobId("job-0")


class SlowDisk:
    """Lets a read stop inside the database until it is let go; no interruption reaches it there."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.moves = threading.Event()

    def __call__(self, *_: object) -> int:
        self.reached.set()
        self.moves.wait()
        return 1

    def put_under(self, turns: ReadTurns) -> None:
        turns._reader._connection.create_scalar_function("slow_disk", self)

    async def until_reached(self) -> None:
        await anyio.to_thread.run_sync(self.reached.wait)


@pytest.fixture
def disk() -> Generator[SlowDisk]:
    slow = SlowDisk()
    yield slow
    slow.moves.set()


@pytest_asyncio.fixture
async def hurried(path: Path, key: RackKey) -> AsyncGenerator[SqliteLedger]:
    """A ledger of ten records whose reads are interrupted soon."""
    await add(path, key, make_entries(range(10)))
    async with open_ledger(path, head_key=key, deadline_s=0.05) as opened:
        yield opened


class SlowReads:
    """Makes the first reads of a connection so slow that they are interrupted."""

    def __init__(self, reads: ReadTurns, count: int) -> None:
        self.left = count
        reads._reader._connection.create_scalar_function("slow_disk", lambda *_: 1)
        reads._reader._connection.set_progress_handler(self._work, 1)

    def _work(self) -> bool:
        if self.left > 0:
            # A little at a time, as a disk or a processor with other work gives it.
            time.sleep(0.02)
        return False


def interrupted(reader: LedgerReader, told: Callable[[], None]) -> None:
    """Have it told whenever a read is interrupted."""
    interrupt = reader.interrupt

    def tell() -> None:
        told()
        interrupt()

    reader.interrupt = tell  # type: ignore[method-assign]


async def read_slowly(ledger: SqliteLedger) -> list[StoredEntry]:
    return await ledger.select(SLOWLY, JOB)


async def test_an_append_ends_before_a_read_that_began_first(
    ledger: SqliteLedger,
    path: Path,
    key: RackKey,
    disk: SlowDisk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # So few that a checkpoint falls due, too, while the read holds on to what it reads.
    monkeypatch.setattr(ledger_store, "CHECKPOINT_PAGES", 3)
    ended: list[str] = []
    for entry in make_entries(range(5)):
        await ledger.append(entry)
    disk.put_under(ledger._slots)

    async def read() -> None:
        ended.append(f"read {len(await read_slowly(ledger))}")

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await disk.until_reached()
        for entry in make_entries(range(5, 60)):
            await ledger.append(entry)
        ended.append("appends")
        disk.moves.set()
    await ledger.append(make_entry(60))
    assert path.with_name("ledger.db-wal").stat().st_size < 60 * 4120
    assert len(await ledger.entries(JobId("job-5"))) == 10
    await ledger.aclose()
    assert ended == ["appends", "read 5"]
    assert verify_ledger(path, key.public_key_pem).records == 61


async def test_row_1_a_read_that_hangs_costs_no_append_and_is_answered_once_the_disk_moves(
    hurried: SqliteLedger, disk: SlowDisk
) -> None:
    found: list[int] = []
    disk.put_under(hurried._slots)
    cut = threading.Event()
    interrupted(hurried._slots._reader, cut.set)

    async def read() -> None:
        found.append(len(await read_slowly(hurried)))

    async def next_one() -> None:
        found.append(len(await hurried.entries(JOB)))

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await disk.until_reached()
        group.start_soon(next_one)
        await anyio.to_thread.run_sync(cut.wait)
        assert (await hurried.append(make_entry(1))).sequence == 11
        assert found == []
        disk.moves.set()
    # Whichever of them was read first: the one that hung may have begun anew.
    assert sorted(found) in ([10, 11], [11, 11])


async def test_row_1_a_slow_read_of_a_slot_begins_anew_until_it_is_answered(
    hurried: SqliteLedger,
) -> None:
    slow = SlowReads(hurried._slots, 3)

    def one_less() -> None:
        slow.left -= 1

    interrupted(hurried._slots._reader, one_less)
    with capture_logs() as logs:
        records = await read_slowly(hurried)
    assert len(records) == 10
    assert (await hurried.append(make_entry(10))).sequence == 11
    told = [line for line in logs if line["event"] == "ledger_read_slow"]
    assert [line["seconds"] for line in told][:2] == [0.05, 0.1]
    assert all(line["log_level"] == "warning" for line in told)


async def test_row_1_a_fault_of_the_file_is_a_fault_at_once(ledger: SqliteLedger) -> None:
    def fails(*_: object) -> int:
        raise apsw.IOError("disk I/O error")

    await ledger.append(make_entry(0))
    visits = ledger.for_visitors(ledger.append)
    for reads in (ledger._slots, ledger._visits):
        reads._reader._connection.create_scalar_function("slow_disk", fails)
    for broken in (ledger, visits, ledger.for_visitors(ledger.append, patient=True)):
        with pytest.raises(LedgerBroken, match="damaged"):
            await broken.select(SLOWLY, JOB)


async def test_row_1_visitors_wait_in_a_line_with_an_end_and_slots_dont_wait_for_them(
    ledger: SqliteLedger, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "MOST_WAITING", 3)
    await ledger.append(make_entry(0))
    disk.put_under(ledger._visits)
    visits = ledger.for_visitors(ledger.append)
    found: list[int] = []

    async def visit() -> None:
        found.append(len(await visits.select(SLOWLY, JOB)))

    async with anyio.create_task_group() as group:
        group.start_soon(visit)
        await disk.until_reached()
        for _ in range(3):
            group.start_soon(visit)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(LedgerBusy, match="too many"):
            await visits.entries(JOB)
        assert len(await ledger.entries(JOB)) == 1
        assert found == []
        disk.moves.set()
    assert found == [1] * 4
    assert (await visits.append(make_entry(1))).sequence == 2


async def test_row_1_a_visitors_slow_read_is_refused_and_nothing_else(
    hurried: SqliteLedger,
) -> None:
    slow = SlowReads(hurried._visits, 1)
    with pytest.raises(LedgerBusy, match=r"took too long|doesn't answer"):
        await hurried.for_visitors(hurried.append).select(SLOWLY, JOB)
    slow.left = 0
    patient = hurried.for_visitors(hurried.append, patient=True)
    assert len(await patient.entries(JOB)) == 10
    assert len(await hurried.entries(JOB)) == 10
    assert (await hurried.append(make_entry(10))).sequence == 11


async def test_row_1_a_disk_that_hangs_under_visitors_is_told_to_each_of_them(
    hurried: SqliteLedger, disk: SlowDisk
) -> None:
    disk.put_under(hurried._visits)
    visits = hurried.for_visitors(hurried.append)
    with pytest.raises(LedgerBusy, match="disk doesn't answer"):
        await visits.select(SLOWLY, JOB)
    with pytest.raises(LedgerBusy, match="others read"):
        await visits.entries(JOB)
    disk.moves.set()
    patient = hurried.for_visitors(hurried.append, patient=True)
    assert len(await patient.entries(JOB)) == 10


async def test_row_1_a_read_that_nobody_waits_for_any_more_keeps_no_turn(
    ledger: SqliteLedger,
) -> None:
    await ledger.append(make_entry(0))
    slow = SlowReads(ledger._slots, 1)
    asked = anyio.Event()

    async def read() -> None:
        asked.set()
        await read_slowly(ledger)

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await asked.wait()
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    slow.left = 0
    assert len(await ledger.entries(JOB)) == 1


async def test_the_reading_connections_change_nothing(ledger: SqliteLedger) -> None:
    await ledger.append(make_entry(0))
    for statement in ("DELETE FROM record", "DROP TRIGGER record_is_never_deleted"):
        for reads in (ledger._slots, ledger._visits):
            with pytest.raises(LedgerFault, match="read"), reads._reader._turn() as connection:
                connection.execute(statement)


@pytest.mark.parametrize(
    "kind", [EntryKind.LEDGER_CHECKED, EntryKind.LEDGER_ANCHORED, EntryKind.LEDGER_RESTORED]
)
async def test_what_there_may_be_none_of_is_found_without_looking_at_all_records(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch, kind: EntryKind
) -> None:
    plans: list[str] = []
    reader = ledger._slots._reader

    def explained(condition: str, values: Sequence[str | int] = ()) -> list[StoredEntry]:
        sql = f"EXPLAIN QUERY PLAN SELECT sequence FROM record AS this {condition}"  # noqa: S608
        plans.extend(str(row) for row in reader._connection.execute(sql, tuple(values)))
        return []

    monkeypatch.setattr(reader, "select", explained)
    assert await ledger.newest_of(kind) is None
    assert plans
    assert all("record_of_ledger" in plan for plan in plans), plans
