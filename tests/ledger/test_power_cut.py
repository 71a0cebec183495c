"""A power cut that takes what wasn't synced: no acknowledged record is missed, none is half."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from ledger_rack import RackKey, make_entry

from benchd.errors import LedgerBroken, LedgerFault
from benchd.ledger import open_ledger, store, verify_ledger
from tests.lossy_disk import LossyDisk, Sync, lossy_disk

RECORDS = 60
CUTS = 50


async def written(folder: Path, key: RackKey, patch: pytest.MonkeyPatch) -> LossyDisk:
    """A ledger that grows until its power is cut, over several checkpoints."""
    patch.setattr(store, "CHECKPOINT_PAGES", 20)
    with lossy_disk(folder, patch) as disk:
        async with open_ledger(folder / "ledger.db", head_key=key) as ledger:
            for number in range(RECORDS):
                disk.told((await ledger.append(make_entry(number))).sequence)
    return disk


async def found(folder: Path, key: RackKey) -> int:
    """How many records a start finds after the cut."""
    path = folder / "ledger.db"
    async with open_ledger(path, head_key=key) as ledger:
        assert (await ledger.append(make_entry(0))).sequence >= 1
    return verify_ledger(path, key.public_key_pem).records - 1


@pytest.mark.asyncio
async def test_whatever_was_acknowledged_is_there_after_a_power_cut(
    tmp_path: Path, key: RackKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here := tmp_path / "here").mkdir()
    disk, chance = await written(here, key, monkeypatch), random.Random(20261126)
    for cut in disk.cuts(CUTS, chance, tmp_path / "cuts"):
        assert len(cut.promised) <= await found(cut.folder, key) <= len(cut.promised) + 1


@pytest.mark.asyncio
async def test_a_ledger_that_is_not_synced_would_be_found_out(
    tmp_path: Path, key: RackKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here := tmp_path / "here").mkdir()
    disk, chance = await written(here, key, monkeypatch), random.Random(20261126)
    disk.steps = [step for step in disk.steps if step != Sync("ledger.db-wal")]
    short = 0
    for cut in disk.cuts(CUTS, chance, tmp_path / "cuts"):
        try:
            short += await found(cut.folder, key) < len(cut.promised)
        except (LedgerBroken, LedgerFault):
            short += 1
    assert short >= CUTS // 5
