"""What a killed process, a full disk or a lost WAL leave: no acknowledged record is missed."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ledger_rack import FillLedger, RackKey, add, make_entries, make_entry, refused

from benchd.domain.errors import LedgerBroken, LedgerFault
from benchd.ledger import open_ledger, verify_ledger
from benchd.ledger.ledger_store import LedgerStore

APPENDER = Path(__file__).with_name("appender.py")


def start_appender(path: Path, count: int, file_limit_bytes: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(APPENDER), str(path), str(count), str(file_limit_bytes)],
        stdout=subprocess.PIPE,
        text=True,
    )


def killed_in_mid_append(path: Path, random_: random.Random) -> int:
    """Kill the appender at a chance moment and return the last number that it was told."""
    with start_appender(path, 100_000) as child:
        assert child.stdout is not None
        for _ in range(random_.randint(1, 40)):
            child.stdout.readline()
        time.sleep(random_.random() * 0.004)
        child.kill()
        told = child.stdout.read().split("\n")
    complete = [int(line) for line in told[:-1] if line]
    return complete[-1] if complete else 0


@pytest.mark.asyncio
async def test_kill_9_in_twenty_rounds_and_after_each_it_goes_on(
    on_disk: Path, key: RackKey
) -> None:
    path = on_disk / "ledger.db"
    random_ = random.Random(20261124)
    records = 0
    for _ in range(20):
        acknowledged = killed_in_mid_append(path, random_)
        report = verify_ledger(path, key.public_key_pem)
        assert report.records >= max(acknowledged, records + 1)
        assert report.records - report.signed_records in {0, 1}
        records = report.records
    [receipt] = await add(path, key, [make_entry(1)])
    assert receipt.sequence == records + 1
    report = verify_ledger(path, key.public_key_pem)
    assert (report.records, report.signed_records) == (records + 1, records + 1)


async def left_by_a_crash(directory: Path, key: RackKey) -> Path:
    """The files of a ledger as a power cut leaves them when every append was acknowledged."""
    path = directory / "ledger.db"
    left = directory / "left" / "ledger.db"
    async with open_ledger(path, head_key=key) as ledger:
        for entry in make_entries(range(30)):
            await ledger.append(entry)
        shutil.copytree(directory, left.parent)
    return left


@pytest.mark.asyncio
async def test_any_changed_byte_is_found_while_there_is_a_wal_and_its_loss_too(
    tmp_path: Path, key: RackKey
) -> None:
    path = await left_by_a_crash(tmp_path, key)
    wal = path.with_name("ledger.db-wal")
    sound = wal.read_bytes()
    random_ = random.Random(2)
    for _ in range(100):
        changed = bytearray(sound)
        changed[random_.randrange(len(sound))] ^= random_.randint(1, 255)
        wal.write_bytes(changed)
        with pytest.raises(LedgerBroken) as caught:
            verify_ledger(path, key.public_key_pem)
        assert 1 <= caught.value.sequence <= 30
    for cut in range(0, len(sound), 4120):
        wal.write_bytes(sound[:cut])
        with pytest.raises(LedgerBroken):
            verify_ledger(path, key.public_key_pem)
    wal.write_bytes(sound)
    database = path.read_bytes()
    for _ in range(50):
        changed = bytearray(database)
        changed[random_.randrange(len(database))] ^= random_.randint(1, 255)
        path.write_bytes(changed)
        with pytest.raises(LedgerBroken):
            verify_ledger(path, key.public_key_pem)
    path.write_bytes(database)
    assert verify_ledger(path, key.public_key_pem).records == 30
    wal.unlink()
    with pytest.raises(LedgerBroken):
        verify_ledger(path, key.public_key_pem)
    await refused(path, key)


def test_a_full_disk_ends_the_ledger(path: Path, key: RackKey) -> None:
    with start_appender(path, 60, file_limit_bytes=300_000) as child:
        assert child.stdout is not None
        lines = child.stdout.read().splitlines()
    faults = [number for number, line in enumerate(lines) if line.startswith("fault:")]
    first = faults[0]
    assert len(lines) == 60
    assert first > 0
    assert faults == list(range(first, 60)), "the disk had room again, and still it refuses"
    assert "couldn't store record" in lines[first]
    assert all("refuses everything" in line for line in lines[first + 1 :])
    assert verify_ledger(path, key.public_key_pem).records in {first, first + 1}


@pytest.mark.asyncio
async def test_another_process_is_refused(fill: FillLedger, key: RackKey) -> None:
    path = await fill(3)
    async with open_ledger(path, head_key=key) as ledger:
        child = start_appender(path, 1)
        assert child.stdout is not None
        assert child.wait(timeout=30) != 0
        child.stdout.close()
        assert (await ledger.append(make_entry(3))).sequence == 4
    assert verify_ledger(path, key.public_key_pem).records == 4


def test_a_place_that_cannot_be_written(key: RackKey, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database " * 1000)
    for path in (tmp_path / "no" / "such" / "ledger.db", tmp_path / "text.db"):
        with pytest.raises(LedgerFault, match="can't be opened"):
            LedgerStore(path, key)
