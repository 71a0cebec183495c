"""The ledger: what is acknowledged is stored, in order, whatever is cancelled or hangs."""

from __future__ import annotations

import asyncio
import stat
import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import apsw
import pytest
from anyio import CapacityLimiter, to_thread
from ledger_rack import (
    START,
    FillLedger,
    RackKey,
    change,
    forge,
    make_entries,
    make_entry,
    opens,
)

from benchd.domain.errors import LedgerBroken, LedgerFault, RecordRefused
from benchd.domain.handset import Trait
from benchd.domain.ids import Evidence, JobId, SlotName
from benchd.domain.ports import Ledger
from benchd.domain.record import Entry, EntryKind, Receipt
from benchd.ledger import (
    SqliteLedger,
    export_lines,
    offline_ledger,
    open_ledger,
    reader,
    verify_ledger,
)
from benchd.ledger.follower import LedgerFeed
from benchd.ledger.head import Head
from benchd.ledger.head_file import SignedHeads, head_path
from benchd.ledger.offline_ledger import unsigned_records
from benchd.ledger.reader import LedgerReader

pytestmark = pytest.mark.asyncio

HOSTILE = (
    "",
    "\0",
    "a\0b",
    "\ud800",
    "\udfff tail",
    "\udcff\udc80",
    "\U0001f600",
    "'; DROP TABLE record; --",
    '"\\\r\n\t\x1b[2J',
    "\u2028\u202e\ufeff\uffff",
    "髙﨑" * 1000,
)


async def test_what_is_appended_is_read_back_and_its_files_are_for_its_owner_only(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    port: Ledger = ledger
    entries = make_entries(range(35))
    receipts = [await port.append(entry) for entry in entries]
    first_job = await port.entries(JobId("job-0"))
    assert [stored.entry for stored in first_job] == entries[:10]
    assert [stored.hash_hex for stored in first_job] == [r.hash_hex for r in receipts[:10]]
    assert [r.sequence for r in receipts] == list(range(1, 36))
    assert [stored.entry.job for stored in await port.open_jobs()] == ["job-3"]
    assert await port.job_ids(2) == ["job-3", "job-2"]
    assert await port.job_ids(0) == []
    newest = await port.slot_entries(SlotName("A2"))
    assert [stored.entry for stored in newest] == entries[30:35]
    older = await port.slot_entries(SlotName("A1"))
    assert [stored.entry for stored in older] == [*entries[0:10], *entries[20:30]]
    assert await port.slot_entries(SlotName("B9")) == []
    assert await port.entries(JobId("unknown")) == []
    files = ("ledger.db", "ledger.db-shm", "ledger.db-wal", "ledger.db.head", "ledger.db.lock")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == dict.fromkeys(files, 0o600)


OPENED, STAGE, ENDED = EntryKind.JOB_OPENED, EntryKind.STAGE_ENDED, EntryKind.JOB_ENDED
SETTLED, SERIAL = EntryKind.HANDSET_SETTLED, "R5CT10ABCDE"
IMEI, OTHER_IMEI, THIRD_IMEI = "356938035643809", "490154203237518", "352099001761481"


def seen(stage: str, **evidence: str) -> Evidence:
    return {"stage": stage, "evidence": evidence}


Story = list[tuple[str, EntryKind, Evidence]]
CHIPS: Story = [
    *[(job, OPENED, {}) for job in ("one", "two", "three")],
    ("one", STAGE, seen("felica_check", chip="c0")),
    ("two", STAGE, seen("felica_check", chip="c1")),
    ("three", STAGE, seen("felica_check", chip="c0")),
    ("three", STAGE, seen("felica_check", chip="c0")),
]
NUMBERS: Story = [
    ("one", OPENED, {}),
    ("one", STAGE, seen("inspect", imei=IMEI)),
    ("one", ENDED, {"disposition": "destroy"}),
    ("two", OPENED, {}),
    ("two", STAGE, seen("inspect", second_imei=IMEI)),
    ("two", ENDED, {"disposition": "hold"}),
    ("two", SETTLED, {"to": "to_destroy"}),
    ("four", OPENED, {}),
    ("four", STAGE, seen("inspect", imei=OTHER_IMEI)),
    ("four", ENDED, {"disposition": "destroy"}),
    ("three", OPENED, {}),
    ("three", STAGE, seen("gates", screen_number=IMEI)),
    ("three", STAGE, seen("read_back")),
    ("three", ENDED, {"disposition": "hold"}),
    ("three", SETTLED, {"to": "to_return"}),
    ("five", OPENED, {}),
    ("five", STAGE, seen("inspect", imei=IMEI)),
    ("five", STAGE, seen("gates", second_number=THIRD_IMEI)),
]
DRAWN: Story = [
    *[(job, OPENED, {}) for job in "abcd"],
    ("a", STAGE, seen("inspect", serial=SERIAL, imei=IMEI)),
    ("a", EntryKind.RECHECK_DRAWN, {"drawn": True}),
    ("a", ENDED, {"disposition": "hold"}),
    ("b", STAGE, seen("inspect", serial="ANOTHER")),
    ("c", STAGE, seen("gates", screen_number=SERIAL)),
    ("d", STAGE, seen("inspect", serial=SERIAL)),
    ("d", EntryKind.DECISION, {"serial": SERIAL}),
]


@pytest.mark.parametrize(
    ("story", "trait", "found"),
    [
        (
            CHIPS,
            Trait.CHIP,
            [("c0", 5, ["three", "one"]), ("c0", 1, ["three"]), ("c9", 5, [])],
        ),
        (
            NUMBERS,
            Trait.IMEI,
            [
                # The newest, and whatever dooms.
                (IMEI, 100, ["five", "three", "two", "one"]),
                (IMEI, 1, ["five", "two", "one"]),
                (OTHER_IMEI, 100, ["four"]),
                (THIRD_IMEI, 100, ["five"]),
                ("unknown", 100, []),
            ],
        ),
        (
            DRAWN,
            Trait.SERIAL,
            [
                (SERIAL, 100, ["d", "c", "a"]),
                # What was drawn stays in sight, however often the handset comes again.
                (SERIAL, 1, ["d", "a"]),
                ("unknown", 100, []),
            ],
        ),
    ],
    ids=["its chip", "its numbers", "its serial"],
)
async def test_a_handset_is_found_by_what_tells_it(
    ledger: SqliteLedger, story: Story, trait: Trait, found: list[tuple[str, int, list[str]]]
) -> None:
    for job, kind, data in story:
        await ledger.append(replace(make_entry(1), kind=kind, job=JobId(job), data=data))
    for value, limit, jobs in found:
        assert await ledger.handset_jobs(trait, value, limit) == jobs
    if story is NUMBERS:
        assert [s.sequence for s in await ledger.records_of_tac(IMEI[:8], 9)] == [2, 17]
        assert [s.sequence for s in await ledger.entries_after(17, 5)] == [18]
        assert await ledger.entry_at(19) is None


async def test_a_ledger_goes_on_where_it_ended_with_one_writer(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(7)
    async with open_ledger(path, head_key=key) as ledger:
        with pytest.raises(LedgerFault, match="another benchd holds this ledger"):
            await opens(path, key)
        receipt = await ledger.append(make_entry(7))
    assert receipt.sequence == 8
    report = verify_ledger(path, key.public_key_pem)
    assert (report.records, report.head_hash) == (8, receipt.hash_hex)
    assert report.signed_records == 8


async def test_sixteen_tasks_under_a_storm_of_cancellations(path: Path, key: RackKey) -> None:
    acknowledged: list[Receipt] = []

    async with open_ledger(path, head_key=key) as ledger:

        async def run(slot: int) -> None:
            for number in range(100):
                with anyio.move_on_after(0.002):
                    entry = make_entry(number, {"slot": slot, "number": number})
                    acknowledged.append(await ledger.append(entry))
                    await anyio.sleep(0.001)

        async with anyio.create_task_group() as group:
            for slot in range(16):
                group.start_soon(run, slot)

    assert len(acknowledged) == 1600
    assert sorted(r.sequence for r in acknowledged) == list(range(1, 1601))
    assert verify_ledger(path, key.public_key_pem).records == 1600


async def test_tasks_that_asyncio_itself_cancels(path: Path, key: RackKey) -> None:
    acknowledged: list[Receipt] = []
    told = asyncio.Event()
    async with open_ledger(path, head_key=key) as ledger:

        async def run() -> None:
            while True:
                acknowledged.append(await ledger.append(make_entry(len(acknowledged))))
                told.set()

        for round_number in range(30):
            told.clear()
            tasks = [asyncio.create_task(run()) for _ in range(4)]
            await told.wait()
            await asyncio.sleep(0.0001 * round_number)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    stored = {line[9:73].decode() for line in export_lines(path)}
    assert {receipt.hash_hex for receipt in acknowledged} <= stored
    assert verify_ledger(path, key.public_key_pem).records >= len(acknowledged)


async def test_an_append_in_a_cancelled_scope_is_still_made(ledger: SqliteLedger) -> None:
    receipts: list[Receipt] = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        receipts.append(await ledger.append(make_entry(0)))
    assert [receipt.sequence for receipt in receipts] == [1]


async def test_a_closed_ledger_refuses(path: Path, key: RackKey) -> None:
    async with open_ledger(path, head_key=key) as ledger:
        await ledger.append(make_entry(0))
        visits = ledger.for_visitors(ledger.append)
    with pytest.raises(LedgerFault, match="closed"):
        await ledger.append(make_entry(0))
    for closed in (ledger, visits):
        with pytest.raises(LedgerFault, match="closed"):
            await closed.entries(JobId("job-0"))


async def test_hostile_strings_come_back_as_they_were(path: Path, key: RackKey) -> None:
    job = JobId("hostile")
    told: list[Evidence] = [{"model": text, text: [text[:9]]} for text in HOSTILE]
    entries = [replace(make_entry(1, data), job=job) for data in (*told, {"model": "x" * 900_000})]
    async with open_ledger(path, head_key=key) as ledger:
        for entry in entries:
            await ledger.append(entry)
        assert [stored.entry for stored in await ledger.entries(job)] == entries
    assert verify_ledger(path, key.public_key_pem).records == len(entries)
    assert len(list(export_lines(path))) == len(entries)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"x": float("nan")}, "not JSON compliant"),
        ({"x": [float("inf")]}, "not JSON compliant"),
        ({"x": "y" * (1 << 20)}, "the most for one record"),
        ({"x": b"bytes"}, "bytes has no place in JSON"),
        ({1: "x"}, "int can't be a key"),
        ({"x": {1, 2}}, "set has no place in JSON"),
        ({"x": 10**5000}, "digits"),
        ({"\ud83d\ude00": 1, "\U0001f600": 2}, "stands twice"),
    ],
)
async def test_what_cannot_be_kept_whole_is_refused(
    ledger: SqliteLedger, data: dict[str, str], reason: str
) -> None:
    with pytest.raises(RecordRefused, match=reason):
        await ledger.append(make_entry(0, data))
    assert (await ledger.append(make_entry(0))).sequence == 1


async def test_names_and_times_are_checked(ledger: SqliteLedger) -> None:
    good = make_entry(0)
    for bad in (
        replace(good, job=JobId("a\0b")),
        replace(good, job=JobId("\ud800")),
        replace(good, slot=SlotName("")),
        replace(good, slot=SlotName("x" * 300)),
        replace(good, occupancy=-1),
        replace(good, occupancy=1 << 63),
        replace(good, at=datetime(2026, 1, 1)),  # noqa: DTZ001 - that it has no zone is the point
    ):
        with pytest.raises(RecordRefused):
            await ledger.append(bad)
    await ledger.append(replace(good, at=START.astimezone(timezone(timedelta(hours=9)))))
    [stored] = await ledger.entries(JobId("job-0"))
    assert stored.entry.at == START


@pytest.mark.parametrize("occupancy", [0, (1 << 63) - 1])
async def test_the_least_and_the_greatest_occupancy_are_kept(
    ledger: SqliteLedger, occupancy: int
) -> None:
    await ledger.append(replace(make_entry(0), occupancy=occupancy))
    [stored] = await ledger.entries(JobId("job-0"))
    assert stored.entry.occupancy == occupancy


async def test_records_without_slot_and_job(path: Path, key: RackKey) -> None:
    heard: list[float] = []
    async with open_ledger(path, head_key=key, commit_seconds=heard.append) as ledger:
        await ledger.append(Entry(kind=EntryKind.DAEMON_STARTED, at=START, data={"x": 1}))
        assert await ledger.open_jobs() == []
    assert len(heard) == 1
    [line] = export_lines(path)
    assert b'"kind":"daemon_started"' in line


async def test_a_head_that_was_taken_away_ends_the_ledger(ledger: SqliteLedger, path: Path) -> None:
    await ledger.append(make_entry(0))
    head_path(path).unlink()
    with pytest.raises(LedgerFault, match="taken away"):
        await ledger.append(make_entry(1))


@pytest.mark.parametrize("hung", ["a walk", "a read"])
async def test_a_read_that_hangs_keeps_nothing_from_its_end(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch, hung: str
) -> None:
    moves, hangs = threading.Event(), threading.Event()
    original = reader.query
    # Who waits for it all the same is let go in the end, to be told so.
    given_up = threading.Timer(30, moves.set)
    given_up.start()

    def query(*asked: Any) -> Any:  # noqa: ANN401 - as the original
        hangs.set()
        moves.wait()
        return original(*asked)

    monkeypatch.setattr(reader, "TURN_WAIT_S", 0.1)
    await ledger.append(make_entry(0))
    monkeypatch.setattr(reader, "query", query)
    async with anyio.create_task_group() as group:
        group.start_soon(partial(ledger.entry_at if hung == "a walk" else ledger.job_ids, 1))
        await to_thread.run_sync(hangs.wait)
        group.cancel_scope.cancel()
    await ledger.aclose()
    assert not moves.is_set()
    given_up.cancel()
    moves.set()


RUNNING = JobId("job-1")


@pytest.mark.parametrize("how", ["rewritten with its own hash", "taken away"])
async def test_a_running_jobs_record_that_was_changed_is_found_as_it_is_read(
    fill: FillLedger, key: RackKey, how: str
) -> None:
    path = await fill(10)
    async with open_ledger(path, head_key=key) as ledger:
        for entry in make_entries(range(10, 16)):
            await ledger.append(entry)
        assert len(await ledger.entries(RUNNING)) == 6
        if how == "taken away":
            forge(path, "UPDATE record SET job = 'other' WHERE sequence = 14", close=False)
        else:
            change(path, 14, close=False)
        with pytest.raises(LedgerBroken, match="as it was written") as found:
            await ledger.entries(RUNNING)
        assert found.value.sequence == 14


async def test_what_has_ended_is_read_as_it_stands(fill: FillLedger, key: RackKey) -> None:
    path = await fill(10)
    async with open_ledger(path, head_key=key) as ledger:
        for entry in make_entries(range(10, 21)):
            await ledger.append(entry)
        change(path, 14, close=False)
        # Its certificate, if it has one, is signed for the records as they were.
        assert len(await ledger.entries(RUNNING)) == 10


def signed(sequence: int) -> SignedHeads:
    return SignedHeads(signed=Head(sequence=sequence, hash=b""))


async def test_records_that_nobody_has_signed_are_counted_and_nothing_is_left_beside(
    tmp_path: Path, key: RackKey
) -> None:
    """As a command does it for a ledger that no daemon serves."""
    path = tmp_path / "a ledger?.sqlite"
    async with open_ledger(path, head_key=key) as ledger:
        for _ in range(3):
            await ledger.append(Entry(kind=EntryKind.DAEMON_STARTED, at=START))
        # As after a crash: all three stand in the log alone.
        there = sorted(tmp_path.iterdir())
        assert unsigned_records(path, signed(2)) == 1
        assert unsigned_records(path, None) == 3
        assert sorted(tmp_path.iterdir()) == there
    before = {each: each.stat().st_mtime_ns for each in tmp_path.iterdir()}
    assert unsigned_records(path, signed(1)) == 2
    assert unsigned_records(path, signed(3)) == 0
    assert {each: each.stat().st_mtime_ns for each in tmp_path.iterdir()} == before


async def test_unsigned_records_are_not_counted_where_the_copy_would_be_too_large_or_is_no_ledger(
    path: Path, key: RackKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline_ledger, "LARGEST_COPY_BYTES", 1)
    async with open_ledger(path, head_key=key) as ledger:
        await ledger.append(make_entry(0))
        assert unsigned_records(path, None) is None
    assert unsigned_records(path, None) == 1
    path.write_bytes(b"no database at all, but as long as the first page of one" * 99)
    with pytest.raises(LedgerBroken):
        unsigned_records(path, None)


async def steps(path: Path, kind: EntryKind) -> int:
    """How many steps SQLite takes for one read."""
    taken: list[int] = []
    one = LedgerReader(path)
    try:
        one._connection.trace_v2(
            apsw.SQLITE_TRACE_PROFILE,
            lambda told: taken.append(told["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]),
        )
        assert await LedgerFeed(one, CapacityLimiter(1)).of_kind(kind, 0, 500)
    finally:
        one.close()
    return sum(taken)


@pytest.mark.parametrize(
    "kind",
    [
        *("hook_answered", "hook_begun", "handset_graded", "person_changed", "token_changed"),
        "clock_stepped",
    ],
)
async def test_what_a_start_reads_of_one_kind_doesnt_grow_with_the_ledger(
    ledger: SqliteLedger, path: Path, kind: str
) -> None:
    counts: list[int] = []
    for _ in range(2):
        await ledger.append(Entry(kind=EntryKind(kind), at=START, data={}))
    for _ in range(2):
        counts.append(await steps(path, EntryKind(kind)))
        for _ in range(30):
            await ledger.append(Entry(kind=EntryKind.JOB_OPENED, at=START, data={}))
    assert counts[0] == counts[1] > 0
