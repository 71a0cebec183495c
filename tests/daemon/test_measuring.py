"""What the metrics are told of the ledger that was opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.config import Settings
from benchd.daemon.measuring import metrics_of, show_ledger
from benchd.daemon.system import SystemClock
from benchd.ledger import open_ledger, verify_ledger
from tests.daemon.restored_rack import FIRST, SECOND, backup_of, restore
from tests.daemon.rotated_rack import key_of, sell

pytestmark = pytest.mark.asyncio


async def counted(rack: Settings) -> float:
    """What a scrape of a daemon that has just started says."""
    key, metrics = key_of(rack), metrics_of(rack)
    async with open_ledger(rack.ledger.path, head_key=key, ring=key.ring) as ledger:
        await show_ledger(metrics, ledger, ring=key.ring, clock=SystemClock())
        [family] = [each for each in metrics.families() if each.name == "benchd_ledger_records"]
        return family.samples[0].value


async def test_a_restore_that_leaves_numbers_out_adds_one_record_and_no_more(
    rack: Settings, folder: Path
) -> None:
    await sell(rack, FIRST)
    backup = backup_of(rack, folder)
    kept = await counted(rack)
    await sell(rack, SECOND)
    await restore(rack, backup, replaces=True)
    assert await counted(rack) == kept + 1
    await sell(rack, "20261124-A1-0003")
    report = verify_ledger(rack.ledger.path, key_of(rack).public_key_pem)
    assert await counted(rack) == report.records
