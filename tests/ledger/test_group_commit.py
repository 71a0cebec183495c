"""Appends that wait at the same time share a commit; each is told by itself, and after the sync.

Another process that has the file locked for a moment costs none of them.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import anyio
import pytest
import pytest_asyncio
from anyio import to_thread
from held_disk import Answers, HeldKey, ask, together
from ledger_rack import make_entries, make_entry, refused

from benchd.domain.errors import LedgerFault, RecordRefused
from benchd.domain.ids import JobId
from benchd.domain.record import Entry, Receipt
from benchd.ledger import (
    SqliteLedger,
    export_lines,
    group_commit,
    ledger_store,
    open_ledger,
    verify_ledger,
)
from benchd.ledger.head_file import SLOT_BYTES, head_path
from benchd.ledger.ledger_store import LedgerStore
from benchd.observe.announcing_ledger import announcing
from tests.lossy_disk import Sync, Write, lossy_disk

pytestmark = pytest.mark.asyncio


@pytest.fixture
def key() -> HeldKey:
    return HeldKey()


@pytest.fixture
def commits() -> list[int]:
    """How many records each commit has stored."""
    return []


@pytest_asyncio.fixture
async def ledger(path: Path, key: HeldKey, commits: list[int]) -> AsyncGenerator[SqliteLedger]:
    async with open_ledger(path, head_key=key, committed=commits.append) as opened:
        yield opened


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingKey(HeldKey):
    """Fails when it has signed so often."""

    fails_at: int
    signed: list[bytes] = field(default_factory=list[bytes])

    def sign(self, message: bytes) -> bytes:
        signature = HeldKey.sign(self, message)
        self.signed.append(message)
        if len(self.signed) >= self.fails_at:
            raise OSError("Input/output error")
        return signature


PREPARES = 3
"""The signatures before: of an empty ledger's head, and of the first record."""
ADVANCES = 4


class Published:
    """What has been told of, in its order."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def stored(self, entry: Entry) -> None:
        self.entries.append(entry)

    def recalled(self, entry: Entry) -> None:
        raise AssertionError(entry)


def sequences(answers: Answers) -> list[int]:
    return [answer.sequence for answer in answers if isinstance(answer, Receipt)]


async def test_what_waits_while_the_disk_is_busy_is_committed_at_once_and_in_order(
    ledger: SqliteLedger, path: Path, key: HeldKey, commits: list[int]
) -> None:
    entries, published = make_entries(range(12)), Published()
    told = announcing(ledger, [published], lambda: pytest.fail("told in vain"))
    answers = await together(told, key, entries)
    found = await ledger.entries_after(0, 100)
    assert commits == [1, 11]
    assert sequences(answers) == list(range(1, 13))
    assert [stored.entry for stored in found] == published.entries == entries
    assert [stored.hash_hex for stored in found] == [
        answer.hash_hex for answer in answers if isinstance(answer, Receipt)
    ]
    assert verify_ledger(path, key.public_key_pem).signed_records == 12


async def test_after_a_shared_commit_the_next_waits_for_others_and_after_a_lone_one_it_does_not(
    ledger: SqliteLedger, key: HeldKey, commits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, others_are_there = threading.Event(), threading.Event()

    def gathers(seconds: float) -> None:
        assert seconds == group_commit.GATHER_S
        waits.set()
        others_are_there.wait()

    monkeypatch.setattr(group_commit, "sleep", gathers)
    for entry in make_entries(range(2)):
        await ledger.append(entry)
    await together(ledger, key, make_entries(range(2, 6)))
    assert not waits.is_set()
    answers: Answers = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask, ledger, make_entry(6), answers)
        assert await to_thread.run_sync(waits.wait, 10)
        for entry in make_entries((7, 8)):
            tasks.start_soon(ask, ledger, entry, answers)
        await anyio.wait_all_tasks_blocked()
        others_are_there.set()
    assert commits == [1, 1, 1, 3, 3]
    assert sequences(answers) == [7, 8, 9]


async def test_many_records_cost_three_syncs_a_lone_one_two_and_no_newest_head_is_written_over(
    tmp_path: Path, path: Path, key: HeldKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, ends = 0, list[int]()
    with lossy_disk(tmp_path, monkeypatch) as disk:
        async with open_ledger(path, head_key=key) as ledger:
            for count in (1, 1, 1, 31, 3, 5, 2, 1, 1):
                ends.append(len(disk.steps))
                await together(ledger, key, make_entries(range(number, number + count)))
                number += count
    of_one = [step.name for step in disk.steps[ends[1] : ends[2]] if isinstance(step, Sync)]
    # One alone, then thirty together.
    of_both = [step.name for step in disk.steps[ends[3] : ends[4]] if isinstance(step, Sync)]
    assert of_one == ["ledger.db-wal", "ledger.db.head"]
    assert of_both == [*of_one, "ledger.db.head", *of_one]
    writes = [step for step in disk.steps[ends[0] :] if isinstance(step, Write)]
    slots = [step.at // SLOT_BYTES for step in writes if step.name == "ledger.db.head"]
    # Of 31, 3 and 5 each time one alone, then the others, several, whose head is prepared.
    assert slots == [1, 0] * 8


@pytest.mark.parametrize(
    ("count", "of_bytes", "expected"),
    [
        (ledger_store.MOST_RECORDS + 7, None, [1, ledger_store.MOST_RECORDS, 6]),
        (6, 4000, [1, 3, 2]),
    ],
    ids=["records", "bytes"],
)
async def test_no_commit_takes_more_than_so_many(
    ledger: SqliteLedger,
    key: HeldKey,
    commits: list[int],
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    of_bytes: int | None,
    expected: list[int],
) -> None:
    data = None
    if of_bytes:
        monkeypatch.setattr(ledger_store, "MOST_BYTES", 10_000)
        data = {"dump": "x" * of_bytes}
    answers = await together(ledger, key, [make_entry(number, data) for number in range(count)])
    assert commits == expected
    assert sequences(answers) == list(range(1, count + 1))


async def test_a_record_that_cannot_be_kept_fails_alone_and_nothing_but_refusals_commits_nothing(
    ledger: SqliteLedger, key: HeldKey, commits: list[int]
) -> None:
    bad = {
        2: make_entry(2, {"x": float("nan")}),
        3: make_entry(3, {"x": "y" * (1 << 20)}),
        6: replace(make_entry(6), occupancy=-1),
    }
    entries = [bad.get(number, make_entry(number)) for number in range(7)]
    answers = await together(ledger, key, entries)
    found = [stored.entry for stored in await ledger.entries_after(0, 100)]
    assert (await ledger.append(make_entry(7))).sequence == 5
    assert found == [entries[number] for number in (0, 1, 4, 5)]
    assert [isinstance(answer, RecordRefused) for answer in answers] == [
        number in bad for number in range(7)
    ]
    assert sequences(answers) == [1, 2, 3, 4]
    answers = await together(ledger, key, [make_entry(8), bad[2], bad[6]])
    assert [type(answer) for answer in answers] == [Receipt, RecordRefused, RecordRefused]
    assert commits == [1, 3, 1, 1]


@pytest.mark.parametrize("fails_at", [PREPARES, ADVANCES])
async def test_a_failed_commit_fails_all_who_wait_for_it_and_shows_nothing(
    path: Path, fails_at: int
) -> None:
    key, published = FailingKey(fails_at=fails_at), Published()
    entries = make_entries(range(5))
    async with open_ledger(path, head_key=key) as ledger:
        told = announcing(ledger, [published], lambda: pytest.fail("told in vain"))
        answers = await together(told, key, entries)
        assert [stored.sequence for stored in await ledger.entries_after(0, 100)] == [1]
        with pytest.raises(LedgerFault, match="refuses everything since records 2 to 5"):
            await ledger.append(make_entry(5))
    assert published.entries == entries[:1]
    assert [str(answer) for answer in answers[1:]] == [
        "the ledger couldn't store records 2 to 5: Input/output error"
    ] * 4
    assert len({id(answer) for answer in answers}) == 5
    # All or none of them; a start takes over what it finds.
    whole = {PREPARES: 1, ADVANCES: 5}[fails_at]
    async with open_ledger(path, head_key=HeldKey()) as ledger:
        assert ledger.head.sequence == whole


async def left_before(place: int, folder: Path) -> Path:
    """The files as a crash leaves them in a commit of four, before so many signatures were made."""
    (here := folder / f"here{place}").mkdir()
    left = folder / f"left{place}"

    @dataclass(frozen=True, slots=True, kw_only=True)
    class CopyingKey(FailingKey):
        def sign(self, message: bytes) -> bytes:
            if len(self.signed) + 1 == place:
                shutil.copytree(here, left)
            return FailingKey.sign(self, message)

    key = CopyingKey(fails_at=99)
    async with open_ledger(here / "ledger.db", head_key=key) as ledger:
        answers = await together(ledger, key, make_entries(range(5)))
    assert len(sequences(answers)) == 5
    return left / "ledger.db"


async def test_a_crash_in_the_commit_of_many_leaves_all_or_none_and_none_unsigned(
    tmp_path: Path, key: HeldKey
) -> None:
    before, after = [await left_before(place, tmp_path) for place in (PREPARES, ADVANCES)]
    for path, records in ((before, 1), (after, 5)):
        report = verify_ledger(path, key.public_key_pem)
        assert (report.records, report.signed_records) == (records, records)
    unprepared = tmp_path / "ledger.db"
    for file in after.parent.iterdir():
        shutil.copy(file, tmp_path)
    shutil.copy(head_path(before), head_path(unprepared))
    await refused(unprepared, key, match="4 records follow that nobody has signed")
    async with open_ledger(after, head_key=key) as ledger:
        assert (await ledger.append(make_entry(5))).sequence == 6


async def test_an_append_that_is_cancelled_while_it_waits_is_never_stored(
    ledger: SqliteLedger, key: HeldKey
) -> None:
    answers: Answers = []
    with key.held():
        first = asyncio.create_task(ask(ledger, make_entry(0), answers))
        await key.until_reached()
        others = [asyncio.create_task(ask(ledger, make_entry(n), answers)) for n in (1, 2, 3)]
        await anyio.wait_all_tasks_blocked()
        others[1].cancel()
        await asyncio.wait([others[1]])
    await asyncio.gather(first, others[0], others[2])
    found = [stored.entry for stored in await ledger.entries_after(0, 100)]
    assert found == make_entries((0, 1, 3))
    assert sequences(answers) == [1, 2, 3]


async def test_an_append_that_is_cancelled_in_mid_commit_takes_nobody_with_it(
    ledger: SqliteLedger, path: Path, key: HeldKey, commits: list[int]
) -> None:
    answers: Answers = []
    with key.held():
        first = asyncio.create_task(ask(ledger, make_entry(0), answers))
        await key.until_reached()
        first.cancel()
        await asyncio.wait([first])
        second = asyncio.create_task(ask(ledger, make_entry(1), answers))
        await anyio.wait_all_tasks_blocked()
    await second
    # Nobody was told of the first, which was on its way to the disk already.
    assert sequences(answers) == [2]
    assert len(list(export_lines(path))) == sum(commits) == 2


async def test_what_waits_when_the_ledger_is_closed_is_stored_first(
    path: Path, key: HeldKey
) -> None:
    answers: Answers = []
    async with open_ledger(path, head_key=key) as ledger, anyio.create_task_group() as group:
        with key.held():
            group.start_soon(partial(ask, ledger, make_entry(0), answers))
            await key.until_reached()
            group.start_soon(partial(ask, ledger, make_entry(1), answers))
            await anyio.wait_all_tasks_blocked()
            group.start_soon(ledger.aclose)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(partial(ask, ledger, make_entry(2), answers))
            await anyio.wait_all_tasks_blocked()
    assert sequences(answers) == [1, 2]
    assert [str(answer) for answer in answers if isinstance(answer, LedgerFault)] == [
        "the ledger was closed"
    ]
    assert verify_ledger(path, key.public_key_pem).records == 2


async def test_a_hanging_disk_keeps_nobody_waiting_and_ends_the_ledger(
    path: Path, key: HeldKey
) -> None:
    answers: Answers = []
    async with open_ledger(path, head_key=key, deadline_s=0.2) as ledger:
        assert (await ledger.append(make_entry(0))).sequence == 1
        with key.held():
            async with anyio.create_task_group() as group:
                group.start_soon(partial(ask, ledger, make_entry(1), answers))
                await key.until_reached()
                for entry in make_entries(range(2, 5)):
                    group.start_soon(partial(ask, ledger, entry, answers))
        with pytest.raises(LedgerFault, match="refuses everything"):
            await ledger.append(make_entry(5))
        with pytest.raises(LedgerFault, match="refuses everything"):
            await ledger.entries(JobId("job-0"))
    assert ["took longer than" in str(answer) for answer in answers] == [True] * 4
    # What was on its way has come to the disk after all; what waited behind it hasn't.
    assert verify_ledger(path, key.public_key_pem).records == 2


HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
print("let go", flush=True)
"""
"""A process without any of benchd's code that has the write lock."""


class Holder(subprocess.Popen[str]):
    def let_go(self) -> None:
        assert self.communicate("\n") == ("let go\n", None)


@contextmanager
def write_lock(path: Path) -> Generator[Holder]:
    """Another process has the write lock until it is told otherwise, or until the block ends."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    pipe = subprocess.PIPE
    with Holder(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        try:
            yield process
        finally:
            process.kill()


async def test_row_10_a_write_lock_of_a_moment_costs_no_record_and_no_ledger(
    ledger: SqliteLedger, path: Path, key: HeldKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, waited, answers = threading.Event(), LedgerStore._wait_for_lock, Answers()

    def wait(kept: LedgerStore, until: float) -> None:
        found.set()
        waited(kept, until)

    monkeypatch.setattr(LedgerStore, "_wait_for_lock", wait)
    await ask(ledger, make_entry(0), answers)
    with write_lock(path) as holder:
        async with anyio.create_task_group() as group:
            group.start_soon(ask, ledger, make_entry(1), answers)
            assert await to_thread.run_sync(found.wait, 20)
            assert sequences(answers) == [1]
            await to_thread.run_sync(holder.let_go)
    await ask(ledger, make_entry(2), answers)
    assert sequences(answers) == [1, 2, 3]
    assert verify_ledger(path, key.public_key_pem).signed_records == 3


async def test_row_10_a_write_lock_without_end_is_told_in_time(path: Path, key: HeldKey) -> None:
    async with open_ledger(path, head_key=key, deadline_s=0.3) as ledger:
        await ledger.append(make_entry(0))
        with write_lock(path), pytest.raises(LedgerFault, match="took longer than"):
            await ledger.append(make_entry(1))
    # Nobody was told of the second, and it isn't there.
    assert verify_ledger(path, key.public_key_pem).records == 1


async def test_row_10_who_has_no_deadline_of_their_own_hears_of_the_lock_and_may_ask_again(
    path: Path, key: HeldKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_store, "LOCK_WITHIN_S", 0.05)
    kept = LedgerStore(path, key)
    try:
        kept.append(make_entry(0))
        with write_lock(path) as holder:
            with pytest.raises(LedgerFault, match="another process"):
                kept.append(make_entry(1))
            holder.let_go()
            assert kept.append(make_entry(1)).sequence == 2
    finally:
        kept.close()
    assert verify_ledger(path, key.public_key_pem).records == 2
