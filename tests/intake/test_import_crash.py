"""Kill -9 and a power cut in mid-import: nothing half, nothing lost."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchd.daemon.system import SystemClock, SystemEntropy
from benchd.intake.desk import ASSETS_IN_A_PART, IntakeDesk
from benchd.intake.store import IntakeStore
from benchd.ledger import open_ledger, verify_ledger
from tests.intake.importer import IN_A_PART, PARTS
from tests.intake.lots import BY, LOT, lot_record
from tests.ledger.ledger_rack import RackKey

ROOT = Path(__file__).parents[2]
IN_A_FILE = PARTS * IN_A_PART
KILLS = 50


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


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.asyncio
async def test_kill_9_in_mid_import_leaves_nothing_half(tmp_path: Path) -> None:
    path, key, random_ = tmp_path / "ledger.db", RackKey(), random.Random(20261126)
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
async def test_a_cut_power_line_leaves_nothing_half(tmp_path: Path) -> None:
    """The files as they are on disk after each record, with all that was synced by then."""
    path, key = tmp_path / "ledger.db", RackKey()
    copies: list[Path] = []
    async with open_ledger(path, head_key=key) as ledger:
        store = IntakeStore(ledger, SystemClock())
        keep = ledger.append

        async def kept(entry: object) -> object:
            receipt = await keep(entry)  # type: ignore[arg-type]
            copy = tmp_path / f"cut{len(copies)}"
            copy.mkdir()
            for file in path.parent.glob("ledger.db*"):
                shutil.copy(file, copy)
            copies.append(copy / "ledger.db")
            return receipt

        ledger.append = kept  # type: ignore[method-assign, assignment]
        desk = IntakeDesk(store, SystemEntropy())
        await desk.add_lot(lot_record())
        of_parts = PARTS * ASSETS_IN_A_PART
        lines = "".join(f"T{n}\n" for n in range(of_parts))
        await desk.import_assets(LOT, ("tag\n" + lines).encode(), by=BY, dry_run=False)
    found = [len((await known(copy, key)).book.assets) for copy in copies]
    assert found == [0] * PARTS + [of_parts]
