"""Appends that wait at the same time share a commit; each is told by itself, and after the sync."""

from __future__ import annotations

import asyncio
import shutil
import threading
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from held_disk import Answers, HeldKey, ask, together
from ledger_rack import make_entry

from benchd.domain.errors import LedgerBroken, LedgerFault, RecordRefused
from benchd.domain.record import Entry, Receipt
from benchd.ledger import committer, export_lines, ledger_store, open_ledger, verify_ledger
from benchd.ledger.head_file import SLOT_BYTES, head_path
from benchd.observe.announcing_ledger import announcing
from tests.lossy_disk import Sync, Write, lossy_disk

pytestmark = pytest.mark.asyncio


@pytest.fixture
def key() -> HeldKey:
    return HeldKey()


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
    tmp_path: Path, key: HeldKey
) -> None:
    path, entries = tmp_path / "ledger.db", [make_entry(number) for number in range(12)]
    commits: list[int] = []
    published = Published()
    async with open_ledger(path, head_key=key, committed=commits.append) as ledger:
        answers = await together(
            announcing(ledger, [published], lambda: pytest.fail("told in vain")), key, entries
        )
        found = await ledger.entries_after(0, 100)
    assert commits == [1, 11]
    assert sequences(answers) == list(range(1, 13))
    assert [stored.entry for stored in found] == published.entries == entries
    assert [stored.hash_hex for stored in found] == [
        answer.hash_hex for answer in answers if isinstance(answer, Receipt)
    ]
    assert verify_ledger(path, key.public_key_pem).signed_records == 12


async def test_after_a_shared_commit_the_next_waits_for_others_and_after_a_lone_one_it_does_not(
    tmp_path: Path, key: HeldKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, others_are_there = threading.Event(), threading.Event()

    def gathers(seconds: float) -> None:
        assert seconds == committer.GATHER_S
        waits.set()
        others_are_there.wait()

    monkeypatch.setattr(committer, "sleep", gathers)
    commits: list[int] = []
    async with open_ledger(tmp_path / "l.db", head_key=key, committed=commits.append) as ledger:
        await ledger.append(make_entry(0))
        await ledger.append(make_entry(1))
        await together(ledger, key, [make_entry(number) for number in range(2, 6)])
        assert not waits.is_set()
        answers: Answers = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, ledger, make_entry(6), answers)
            assert await to_thread.run_sync(waits.wait, 10)
            for number in (7, 8):
                tasks.start_soon(ask, ledger, make_entry(number), answers)
            await anyio.wait_all_tasks_blocked()
            others_are_there.set()
    assert commits == [1, 1, 1, 3, 3]
    assert sequences(answers) == [7, 8, 9]


async def test_many_records_cost_three_syncs_and_a_lone_one_two(
    tmp_path: Path, key: HeldKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lossy_disk(tmp_path, monkeypatch) as disk:
        async with open_ledger(tmp_path / "ledger.db", head_key=key) as ledger:
            await ledger.append(make_entry(0))
            before = len(disk.steps)
            await ledger.append(make_entry(1))
            lone = len(disk.steps)
            await together(ledger, key, [make_entry(number) for number in range(2, 33)])
            all_ = len(disk.steps)
    of_one = [step.name for step in disk.steps[before:lone] if isinstance(step, Sync)]
    of_more = [step.name for step in disk.steps[lone:all_] if isinstance(step, Sync)]
    assert of_one == ["ledger.db-wal", "ledger.db.head"]
    assert of_more == [*of_one, "ledger.db.head", "ledger.db-wal", "ledger.db.head"]


async def test_the_newest_head_is_never_written_over(
    tmp_path: Path, key: HeldKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lossy_disk(tmp_path, monkeypatch) as disk:
        async with open_ledger(tmp_path / "ledger.db", head_key=key) as ledger:
            before, number = len(disk.steps), 0
            for count in (1, 3, 5, 2, 1):
                entries = [make_entry(number + place) for place in range(count)]
                await together(ledger, key, entries)
                number += count
    writes = [step for step in disk.steps[before:] if isinstance(step, Write)]
    slots = [step.at // SLOT_BYTES for step in writes if step.name == "ledger.db.head"]
    # Each time one alone, then the others together; two of those are several, and prepared.
    assert slots == [1, 0] * 5


async def test_no_commit_takes_more_than_so_many_records(tmp_path: Path, key: HeldKey) -> None:
    commits: list[int] = []
    path, count = tmp_path / "ledger.db", ledger_store.MOST_RECORDS + 6
    async with open_ledger(path, head_key=key, committed=commits.append) as ledger:
        answers = await together(ledger, key, [make_entry(number) for number in range(count + 1)])
    assert commits == [1, ledger_store.MOST_RECORDS, 6]
    assert sequences(answers) == list(range(1, count + 2))


async def test_no_commit_takes_more_than_so_many_bytes(
    tmp_path: Path, key: HeldKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_store, "MOST_BYTES", 10_000)
    commits: list[int] = []
    large = [make_entry(number, {"dump": "x" * 4000}) for number in range(6)]
    async with open_ledger(
        tmp_path / "ledger.db", head_key=key, committed=commits.append
    ) as ledger:
        answers = await together(ledger, key, large)
    assert commits == [1, 3, 2]
    assert sequences(answers) == list(range(1, 7))


async def test_a_record_that_cannot_be_kept_fails_alone(tmp_path: Path, key: HeldKey) -> None:
    bad = {
        2: make_entry(2, {"x": float("nan")}),
        3: make_entry(3, {"x": "y" * (1 << 20)}),
        6: replace(make_entry(6), occupancy=-1),
    }
    entries = [bad.get(number, make_entry(number)) for number in range(7)]
    path = tmp_path / "ledger.db"
    async with open_ledger(path, head_key=key) as ledger:
        answers = await together(ledger, key, entries)
        found = [stored.entry for stored in await ledger.entries_after(0, 100)]
        assert (await ledger.append(make_entry(7))).sequence == 5
    assert found == [entries[number] for number in (0, 1, 4, 5)]
    assert [isinstance(answer, RecordRefused) for answer in answers] == [
        number in bad for number in range(7)
    ]
    assert sequences(answers) == [1, 2, 3, 4]


async def test_a_batch_of_nothing_but_refusals_commits_nothing(
    tmp_path: Path, key: HeldKey
) -> None:
    commits: list[int] = []
    async with open_ledger(
        tmp_path / "ledger.db", head_key=key, committed=commits.append
    ) as ledger:
        bad = [make_entry(number, {"x": float("inf")}) for number in (1, 2)]
        answers = await together(ledger, key, [make_entry(0), *bad])
    assert [type(answer) for answer in answers] == [Receipt, RecordRefused, RecordRefused]
    assert commits == [1]


@pytest.mark.parametrize("fails_at", [PREPARES, ADVANCES])
async def test_a_failed_commit_fails_all_who_wait_for_it_and_shows_nothing(
    tmp_path: Path, fails_at: int
) -> None:
    path, key, published = tmp_path / "ledger.db", FailingKey(fails_at=fails_at), Published()
    entries = [make_entry(number) for number in range(5)]
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
    here, left = folder / "here", folder / "left"
    here.mkdir()

    @dataclass(frozen=True, slots=True, kw_only=True)
    class CopyingKey(FailingKey):
        def sign(self, message: bytes) -> bytes:
            if len(self.signed) + 1 == place:
                shutil.copytree(here, left)
            return FailingKey.sign(self, message)

    key = CopyingKey(fails_at=99)
    async with open_ledger(here / "ledger.db", head_key=key) as ledger:
        answers = await together(ledger, key, [make_entry(number) for number in range(5)])
    assert len(sequences(answers)) == 5
    return left / "ledger.db"


async def test_a_crash_after_the_commit_of_many_leaves_none_unsigned(
    tmp_path: Path, key: HeldKey
) -> None:
    path = await left_before(ADVANCES, tmp_path)
    report = verify_ledger(path, key.public_key_pem)
    assert (report.records, report.signed_records) == (5, 5)
    async with open_ledger(path, head_key=key) as ledger:
        assert (await ledger.append(make_entry(5))).sequence == 6


async def test_a_crash_before_the_commit_of_many_leaves_none_of_them(
    tmp_path: Path, key: HeldKey
) -> None:
    path = await left_before(PREPARES, tmp_path)
    report = verify_ledger(path, key.public_key_pem)
    assert (report.records, report.signed_records) == (1, 1)


async def test_many_records_without_a_prepared_head_are_nobodys(
    tmp_path: Path, key: HeldKey
) -> None:
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    before = await left_before(PREPARES, tmp_path / "before")
    after = await left_before(ADVANCES, tmp_path / "after")
    shutil.copy(head_path(before), head_path(after))
    with pytest.raises(LedgerBroken, match="4 records follow that nobody has signed"):
        async with open_ledger(after, head_key=key):
            pytest.fail("it must not open")


async def test_an_append_that_is_cancelled_while_it_waits_is_never_stored(
    tmp_path: Path, key: HeldKey
) -> None:
    path = tmp_path / "ledger.db"
    answers: Answers = []
    async with open_ledger(path, head_key=key) as ledger:
        with key.held():
            first = asyncio.create_task(ask(ledger, make_entry(0), answers))
            await key.until_reached()
            others = [asyncio.create_task(ask(ledger, make_entry(n), answers)) for n in (1, 2, 3)]
            await anyio.wait_all_tasks_blocked()
            others[1].cancel()
            await asyncio.wait([others[1]])
        await asyncio.gather(first, others[0], others[2])
        found = [stored.entry for stored in await ledger.entries_after(0, 100)]
    assert found == [make_entry(0), make_entry(1), make_entry(3)]
    assert sequences(answers) == [1, 2, 3]


async def test_an_append_that_is_cancelled_in_mid_commit_takes_nobody_with_it(
    tmp_path: Path, key: HeldKey
) -> None:
    path = tmp_path / "ledger.db"
    commits: list[int] = []
    answers: Answers = []
    async with open_ledger(path, head_key=key, committed=commits.append) as ledger:
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
    tmp_path: Path, key: HeldKey
) -> None:
    path = tmp_path / "ledger.db"
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


async def test_a_hanging_disk_keeps_nobody_waiting_and_stores_no_more(tmp_path: Path) -> None:
    path, key = tmp_path / "ledger.db", HeldKey()
    answers: Answers = []
    async with open_ledger(path, head_key=key, deadline_s=0.2) as ledger:
        with key.held():
            async with anyio.create_task_group() as group:
                group.start_soon(partial(ask, ledger, make_entry(0), answers))
                await key.until_reached()
                for number in range(1, 4):
                    group.start_soon(partial(ask, ledger, make_entry(number), answers))
        with pytest.raises(LedgerFault, match="refuses everything"):
            await ledger.append(make_entry(4))
    assert ["took longer than" in str(answer) for answer in answers] == [True] * 4
    # What was on its way has come to the disk after all; what waited behind it hasn't.
    assert verify_ledger(path, key.public_key_pem).records == 1
