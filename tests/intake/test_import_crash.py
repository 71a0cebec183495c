"""Kill -9 and a power cut in mid-import: nothing half, nothing lost."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchd.daemon.system_clock import SystemClock, SystemEntropy
from benchd.intake import csv_import, intake_desk
from benchd.intake.intake_store import IntakeStore
from benchd.ledger import ledger_store, open_ledger, verify_ledger
from tests.intake.importer import IN_A_PART, PARTS
from tests.intake.lots import BY, LOT, lot_record
from tests.ledger.ledger_rack import RackKey
from tests.lossy_disk import lossy_disk

ROOT = Path(__file__).parents[2]
IN_A_FILE = PARTS * IN_A_PART
KILLS = CUTS = 50
FILES = 8


def killed_in_mid_import(path: Path, random_: random.Random) -> int:
    """Kill the importer at a chance moment; returns how many assets it was told of last."""
    command = [sys.executable, "-m", "tests.intake.importer", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None
        told = [child.stdout.readline() for _ in range(random_.randint(1, 3))]
        records = path.stat().st_size
        # Somewhere in the next import: the WAL has begun to grow again.
        wal, more = path.with_name(path.name + "-wal"), random_.randint(1, 30_000)
        begun = wal.stat().st_size if wal.exists() else 0
        while (wal.stat().st_size if wal.exists() else 0) < begun + more:
            if path.stat().st_size != records:
                break
        child.kill()
        told += child.stdout.read().splitlines()
    whole = [line.split() for line in told if line.startswith("whole ")]
    return max((int(words[1]) for words in whole if len(words) == 2), default=0)


async def known(path: Path, key: RackKey) -> IntakeStore:
    async with open_ledger(path, head_key=key) as ledger:
        store = IntakeStore(ledger, SystemClock())
        await store.recall()
    return store


@pytest.mark.nightly
@pytest.mark.timeout(300)
@pytest.mark.asyncio
async def test_kill_9_in_mid_import_leaves_nothing_half(on_disk: Path) -> None:
    path, key, random_ = on_disk / "ledger.db", RackKey(), random.Random(20261126)
    unfinished = before = 0
    for _ in range(KILLS):
        told = max(before, killed_in_mid_import(path, random_))
        verify_ledger(path, key.public_key_pem)
        store = await known(path, key)
        assert len(store.book.assets) % IN_A_FILE == 0, "a file is in whole or not at all"
        assert told <= len(store.book.assets)
        unfinished, before = len(store.book.unfinished), len(store.book.assets)
    assert unfinished > 0, "no kill fell into an import, so this shows nothing"


@pytest.mark.asyncio
async def test_a_power_cut_in_mid_import_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what wasn't synced the disk keeps what it likes."""
    monkeypatch.setattr(ledger_store, "CHECKPOINT_PAGES", 20)
    monkeypatch.setattr(csv_import, "ASSETS_IN_A_PART", IN_A_PART)
    (here := tmp_path / "here").mkdir()
    key, chance, unfinished = RackKey(), random.Random(20261126), 0
    with lossy_disk(here, monkeypatch) as disk:
        async with open_ledger(here / "ledger.db", head_key=key) as ledger:
            store = IntakeStore(ledger, SystemClock())
            intake = intake_desk.IntakeDesk(store, SystemEntropy())
            await intake.add_lot(lot_record())
            for number in range(FILES):
                lines = "".join(f"T{number}-{n}\n" for n in range(IN_A_FILE))
                file = ("tag\n" + lines).encode()
                assert (await intake.import_assets(LOT, file, by=BY, dry_run=False)).taken
                disk.told(len(store.book.assets))
    for cut in disk.cuts(CUTS, chance, tmp_path / "cuts"):
        book = (await known(cut.folder / "ledger.db", key)).book
        assert len(book.assets) in {
            len(cut.promised) * IN_A_FILE,
            len(cut.promised) * IN_A_FILE + IN_A_FILE,
        }
        unfinished += len(book.unfinished)
    assert unfinished > 0, "no cut fell into an import, so this shows nothing"
