"""The ledger: what is acknowledged is stored, in order, whatever is cancelled or hangs."""

from __future__ import annotations

import asyncio
import stat
import threading
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread
from ledger_rack import START, FillLedger, RackKey, make_entry

from benchd.domain.errors import LedgerFault, RecordRefused
from benchd.domain.handset import Trait
from benchd.domain.ids import JobId, JsonValue, SlotName
from benchd.domain.ports import Ledger
from benchd.domain.record import EntryKind, Receipt
from benchd.ledger import export_lines, open_ledger, reader, verify_ledger
from benchd.ledger.head_file import head_path

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
    "x" * 900_000,
)


def modes_in(directory: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}


@pytest.mark.asyncio
async def test_what_is_appended_is_read_back(tmp_path: Path, key: RackKey) -> None:
    async with open_ledger(tmp_path / "ledger.db", head_key=key) as opened:
        ledger: Ledger = opened
        entries = [make_entry(number) for number in range(35)]
        receipts = [await ledger.append(entry) for entry in entries]
        first_job = await ledger.entries(JobId("job-0"))
        assert [stored.entry for stored in first_job] == entries[:10]
        assert [stored.hash_hex for stored in first_job] == [r.hash_hex for r in receipts[:10]]
        assert [r.sequence for r in receipts] == list(range(1, 36))
        assert [stored.entry.job for stored in await ledger.open_jobs()] == ["job-3"]
        assert await ledger.job_ids(2) == ["job-3", "job-2"]
        assert await ledger.job_ids(0) == []
        newest = await ledger.slot_entries(SlotName("A2"))
        assert [stored.entry for stored in newest] == entries[30:35]
        older = await ledger.slot_entries(SlotName("A1"))
        assert [stored.entry for stored in older] == [*entries[0:10], *entries[20:30]]
        assert await ledger.slot_entries(SlotName("B9")) == []
        assert await ledger.entries(JobId("unknown")) == []


@pytest.mark.asyncio
async def test_a_chip_is_found_in_the_jobs_that_saw_it(tmp_path: Path, key: RackKey) -> None:
    async with open_ledger(tmp_path / "ledger.db", head_key=key) as ledger:
        for job in ("one", "two", "three"):
            opened = replace(make_entry(1), kind=EntryKind.JOB_OPENED, job=JobId(job), data={})
            await ledger.append(opened)
        for job, chip in (("one", "c0"), ("two", "c1"), ("three", "c0"), ("three", "c0")):
            seen = replace(
                make_entry(1),
                kind=EntryKind.STAGE_ENDED,
                job=JobId(job),
                data={"stage": "felica_check", "evidence": {"chip": chip}},
            )
            await ledger.append(seen)
        assert await ledger.handset_jobs(Trait.CHIP, "c0", 5) == ["three", "one"]
        assert await ledger.handset_jobs(Trait.CHIP, "c0", 1) == ["three"]
        assert await ledger.handset_jobs(Trait.CHIP, "c9", 5) == []


IMEI, OTHER_IMEI = "356938035643809", "490154203237518"
THIRD_IMEI = "352099001761481"
SEEN = (
    ("one", EntryKind.JOB_OPENED, {}),
    ("one", EntryKind.STAGE_ENDED, {"stage": "inspect", "evidence": {"imei": IMEI}}),
    ("one", EntryKind.JOB_ENDED, {"disposition": "destroy"}),
    ("two", EntryKind.JOB_OPENED, {}),
    ("two", EntryKind.STAGE_ENDED, {"stage": "inspect", "evidence": {"second_imei": IMEI}}),
    ("two", EntryKind.JOB_ENDED, {"disposition": "hold"}),
    ("two", EntryKind.HANDSET_SETTLED, {"to": "to_destroy"}),
    ("four", EntryKind.JOB_OPENED, {}),
    ("four", EntryKind.STAGE_ENDED, {"stage": "inspect", "evidence": {"imei": OTHER_IMEI}}),
    ("four", EntryKind.JOB_ENDED, {"disposition": "destroy"}),
    ("three", EntryKind.JOB_OPENED, {}),
    ("three", EntryKind.STAGE_ENDED, {"stage": "gates", "evidence": {"screen_number": IMEI}}),
    ("three", EntryKind.STAGE_ENDED, {"stage": "read_back", "evidence": {}}),
    ("three", EntryKind.JOB_ENDED, {"disposition": "hold"}),
    ("three", EntryKind.HANDSET_SETTLED, {"to": "to_return"}),
    ("five", EntryKind.JOB_OPENED, {}),
    ("five", EntryKind.STAGE_ENDED, {"stage": "inspect", "evidence": {"imei": IMEI}}),
    ("five", EntryKind.STAGE_ENDED, {"stage": "gates", "evidence": {"second_number": THIRD_IMEI}}),
)


@pytest.mark.asyncio
async def test_a_handset_is_found_by_each_number_that_tells_it(
    tmp_path: Path, key: RackKey
) -> None:
    async with open_ledger(tmp_path / "ledger.db", head_key=key) as ledger:
        for job, kind, data in SEEN:
            await ledger.append(replace(make_entry(1), kind=kind, job=JobId(job), data=data))
        # The newest, and whatever dooms.
        assert await ledger.handset_jobs(Trait.IMEI, IMEI, 100) == ["five", "three", "two", "one"]
        assert await ledger.handset_jobs(Trait.IMEI, IMEI, 1) == ["five", "two", "one"]
        assert await ledger.handset_jobs(Trait.IMEI, OTHER_IMEI, 100) == ["four"]
        assert await ledger.handset_jobs(Trait.IMEI, THIRD_IMEI, 100) == ["five"]
        assert await ledger.handset_jobs(Trait.IMEI, "unknown", 100) == []
        assert [s.sequence for s in await ledger.told_of_tac(IMEI[:8], 9)] == [2, 17]
        assert [s.sequence for s in await ledger.entries_after(17, 5)] == [18]
        assert await ledger.entry_at(19) is None


SERIAL = "R5CT10ABCDE"
DRAWN: tuple[tuple[str, EntryKind, dict[str, JsonValue]], ...] = (
    ("a", EntryKind.JOB_OPENED, {}),
    ("b", EntryKind.JOB_OPENED, {}),
    ("c", EntryKind.JOB_OPENED, {}),
    ("d", EntryKind.JOB_OPENED, {}),
    ("a", EntryKind.STAGE_ENDED, {"evidence": {"serial": SERIAL, "imei": IMEI}}),
    ("a", EntryKind.RECHECK_DRAWN, {"drawn": True}),
    ("a", EntryKind.JOB_ENDED, {"disposition": "hold"}),
    ("b", EntryKind.STAGE_ENDED, {"evidence": {"serial": "ANOTHER"}}),
    ("c", EntryKind.STAGE_ENDED, {"evidence": {"screen_number": SERIAL}}),
    ("d", EntryKind.STAGE_ENDED, {"evidence": {"serial": SERIAL}}),
    ("d", EntryKind.DECISION, {"serial": SERIAL}),
)


@pytest.mark.asyncio
async def test_a_drawn_handset_is_found_by_its_serial_too(tmp_path: Path, key: RackKey) -> None:
    async with open_ledger(tmp_path / "ledger.db", head_key=key) as ledger:
        for job, kind, data in DRAWN:
            await ledger.append(replace(make_entry(1), kind=kind, job=JobId(job), data=data))
        assert await ledger.handset_jobs(Trait.SERIAL, SERIAL, 100) == ["d", "c", "a"]
        # What was drawn stays in sight, however often the handset comes again.
        assert await ledger.handset_jobs(Trait.SERIAL, SERIAL, 1) == ["d", "a"]
        assert await ledger.handset_jobs(Trait.SERIAL, "unknown", 100) == []


@pytest.mark.asyncio
async def test_a_ledger_goes_on_where_it_ended(fill: FillLedger, key: RackKey) -> None:
    path = await fill(7)
    async with open_ledger(path, head_key=key) as ledger:
        receipt = await ledger.append(make_entry(7))
    assert receipt.sequence == 8
    report = verify_ledger(path, key.public_key_pem)
    assert (report.records, report.head_hash) == (8, receipt.hash_hex)
    assert report.signed_records == 8


@pytest.mark.asyncio
async def test_its_files_are_for_its_owner_only(tmp_path: Path, key: RackKey) -> None:
    async with open_ledger(tmp_path / "ledger.db", head_key=key) as ledger:
        await ledger.append(make_entry(0))
        modes = modes_in(tmp_path)
    assert modes == dict.fromkeys(
        ("ledger.db", "ledger.db-shm", "ledger.db-wal", "ledger.db.head", "ledger.db.lock"), 0o600
    )


@pytest.mark.asyncio
async def test_sixteen_tasks_under_a_storm_of_cancellations(tmp_path: Path, key: RackKey) -> None:
    path = tmp_path / "ledger.db"
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


@pytest.mark.asyncio
async def test_tasks_that_asyncio_itself_cancels(tmp_path: Path, key: RackKey) -> None:
    path = tmp_path / "ledger.db"
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


@pytest.mark.asyncio
async def test_an_append_in_a_cancelled_scope_is_still_made(tmp_path: Path, key: RackKey) -> None:
    async with open_ledger(tmp_path / "ledger.db", head_key=key) as ledger:
        receipts: list[Receipt] = []
        with anyio.CancelScope() as scope:
            scope.cancel()
            receipts.append(await ledger.append(make_entry(0)))
        assert [receipt.sequence for receipt in receipts] == [1]


@pytest.mark.asyncio
async def test_a_disk_that_hangs_ends_the_ledger(tmp_path: Path, key: RackKey) -> None:
    path = tmp_path / "ledger.db"
    disk_moves = threading.Event()
    disk_moves.set()

    class SlowKey(RackKey):
        def sign(self, message: bytes) -> bytes:
            disk_moves.wait()
            return self.private.sign(message)

    async with open_ledger(path, head_key=SlowKey(), deadline_s=0.2) as ledger:
        assert (await ledger.append(make_entry(0))).sequence == 1
        disk_moves.clear()
        with pytest.raises(LedgerFault, match="took longer than"):
            await ledger.append(make_entry(1))
        disk_moves.set()
        with pytest.raises(LedgerFault, match="refuses everything"):
            await ledger.append(make_entry(2))
        with pytest.raises(LedgerFault, match="refuses everything"):
            await ledger.entries(JobId("job-0"))
    # Nobody was told of the second record; it may be there, and the chain holds with it.
    assert verify_ledger(path, key.public_key_pem).records in {1, 2}


@pytest.mark.asyncio
async def test_a_closed_ledger_refuses(tmp_path: Path, key: RackKey) -> None:
    async with open_ledger(tmp_path / "ledger.db", head_key=key) as ledger:
        pass
    with pytest.raises(LedgerFault, match="closed"):
        await ledger.append(make_entry(0))


@pytest.mark.asyncio
async def test_a_second_writer_is_refused(fill: FillLedger, key: RackKey) -> None:
    path = await fill(1)
    async with open_ledger(path, head_key=key) as ledger:
        with pytest.raises(LedgerFault, match="another benchd holds this ledger"):
            async with open_ledger(path, head_key=key):
                pytest.fail("it must not open")
        assert (await ledger.append(make_entry(1))).sequence == 2


@pytest.mark.asyncio
async def test_hostile_strings_come_back_as_they_were(tmp_path: Path, key: RackKey) -> None:
    path = tmp_path / "ledger.db"
    job = JobId("hostile")
    async with open_ledger(path, head_key=key) as ledger:
        entries = [
            replace(make_entry(1, {"model": text, text: [text[:9]]}), job=job)
            for text in HOSTILE
            if len(text) < 500_000
        ]
        entries.append(replace(make_entry(1, {"model": HOSTILE[-1]}), job=job))
        for entry in entries:
            await ledger.append(entry)
        assert [stored.entry for stored in await ledger.entries(job)] == entries
    assert verify_ledger(path, key.public_key_pem).records == len(entries)
    assert len(list(export_lines(path))) == len(entries)


@pytest.mark.asyncio
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
    tmp_path: Path, key: RackKey, data: dict[str, str], reason: str
) -> None:
    async with open_ledger(tmp_path / "ledger.db", head_key=key) as ledger:
        with pytest.raises(RecordRefused, match=reason):
            await ledger.append(make_entry(0, data))
        assert (await ledger.append(make_entry(0))).sequence == 1


@pytest.mark.asyncio
async def test_names_and_times_are_checked(tmp_path: Path, key: RackKey) -> None:
    good = make_entry(0)
    async with open_ledger(tmp_path / "ledger.db", head_key=key) as ledger:
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
        tokyo = replace(good, at=START.astimezone(timezone(timedelta(hours=9))))
        await ledger.append(tokyo)
        [stored] = await ledger.entries(JobId("job-0"))
        assert stored.entry.at == START


@pytest.mark.asyncio
async def test_records_without_slot_and_job(tmp_path: Path, key: RackKey) -> None:
    path = tmp_path / "ledger.db"
    heard: list[float] = []
    async with open_ledger(path, head_key=key, commit_seconds=heard.append) as ledger:
        await ledger.append(
            replace(
                make_entry(0), kind=EntryKind.DAEMON_STARTED, slot=None, occupancy=None, job=None
            )
        )
        assert await ledger.open_jobs() == []
    assert len(heard) == 1
    [line] = export_lines(path)
    assert b'"kind":"daemon_started"' in line


@pytest.mark.asyncio
async def test_a_head_that_was_taken_away_ends_the_ledger(tmp_path: Path, key: RackKey) -> None:
    path = tmp_path / "ledger.db"
    async with open_ledger(path, head_key=key) as ledger:
        await ledger.append(make_entry(0))
        head_path(path).unlink()
        with pytest.raises(LedgerFault, match="taken away"):
            await ledger.append(make_entry(1))


@pytest.mark.asyncio
@pytest.mark.parametrize("hung", ["a walk", "a read"])
async def test_a_read_that_hangs_keeps_nothing_from_its_end(
    tmp_path: Path, key: RackKey, monkeypatch: pytest.MonkeyPatch, hung: str
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
    async with open_ledger(tmp_path / "ledger.db", head_key=key) as ledger:
        await ledger.append(make_entry(0))
        monkeypatch.setattr(reader, "query", query)
        ask = ledger.entry_at(1) if hung == "a walk" else ledger.job_ids(1)
        async with anyio.create_task_group() as group:
            group.start_soon(_ignored, ask)
            await to_thread.run_sync(hangs.wait)
            group.cancel_scope.cancel()
        await ledger.aclose()
        assert not moves.is_set()
        given_up.cancel()
        moves.set()


async def _ignored(asked: Awaitable[object]) -> None:
    await asked
