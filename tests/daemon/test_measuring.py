"""What the metrics are told of the ledger that was opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchd.config import Settings
from benchd.config.config_sections import AnchorSettings
from benchd.daemon.rack_metrics import metrics_of, show_ledger
from benchd.daemon.system import SystemClock
from benchd.ledger import open_ledger, verify_ledger
from tests.daemon.restored_rack import FIRST, SECOND, backup_of, restore
from tests.daemon.rotated_rack import key_of, sell

pytestmark = pytest.mark.asyncio


async def counted(rack: Settings, name: str = "records") -> float:
    """What a scrape of a daemon that has just started says of its ledger."""
    key, metrics = key_of(rack), metrics_of(rack)
    async with open_ledger(rack.ledger.path, head_key=key, ring=key.ring) as ledger:
        await show_ledger(metrics, ledger, ring=key.ring, clock=SystemClock())
        [family] = [each for each in metrics.families() if each.name == f"benchd_ledger_{name}"]
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


async def test_a_restore_is_told_of_by_every_daemon_after_it(rack: Settings, folder: Path) -> None:
    await sell(rack, FIRST)
    backup = backup_of(rack, folder)
    assert await counted(rack, "restores") == 0
    await restore(rack, backup, replaces=True)
    assert await counted(rack, "restores") == 1
    assert await counted(rack, "restores") == 1


async def test_anchors_are_told_of_where_the_configuration_names_one(rack: Settings) -> None:
    assert not metrics_of(rack).ledger.anchors.is_used
    for anchor in (AnchorSettings(folder=Path("/mnt")), AnchorSettings(url="https://a.example/")):
        ledger = rack.ledger.model_copy(update={"anchor": anchor})
        assert metrics_of(replace(rack, ledger=ledger)).ledger.anchors.is_used
