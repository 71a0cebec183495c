"""Who restores as root leaves nothing that the daemon's user can't open."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchd.config import Settings
from benchd.daemon.rack_backup import back_up
from benchd.daemon.restore_break import record_restored, restore_backup
from benchd.domain.errors import LedgerFault
from tests.daemon.rotated_rack import JOBS, make_rack, sell

OWNER = 12_345 if os.geteuid() == 0 else os.geteuid()

pytestmark = pytest.mark.asyncio


@pytest.fixture
def rack(tmp_path: Path) -> Settings:
    """Its certificates lie below the ledger's folder, as those of the service do."""
    made = make_rack(tmp_path)
    folder = made.ledger.path.parent / "kept" / "certificates"
    return replace(made, certificate=made.certificate.model_copy(update={"directory": folder}))


def owners(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_uid for path in folder.rglob("*")}


async def test_a_ledger_that_is_numbered_on_stays_the_daemons(rack: Settings) -> None:
    rack.certificate.directory.mkdir(parents=True)
    await sell(rack, JOBS[0])
    state = rack.ledger.path.parent
    for path in (state, *state.rglob("*")):
        os.chown(path, OWNER, -1)
    await record_restored(rack, operator="佐藤", because="disk replaced")
    found = owners(state)
    assert "ledger.db.head" in found
    assert set(found.values()) == {OWNER}


async def test_folders_that_a_restore_makes_are_the_daemons(rack: Settings, tmp_path: Path) -> None:
    rack.certificate.directory.mkdir(parents=True)
    await sell(rack, JOBS[0])
    (tmp_path / "dest").mkdir()
    backup, _ = back_up(rack, tmp_path / "dest", pace=lambda _: None)
    state = rack.ledger.path.parent
    shutil.rmtree(state)
    state.mkdir()
    os.chown(state, OWNER, -1)
    await restore_backup(rack, backup, operator="佐藤", because="a new PC")
    found = owners(state)
    assert f"kept/certificates/{JOBS[0]}.json" in found
    assert set(found.values()) == {OWNER}


async def test_a_folder_that_is_not_there_is_told_of(rack: Settings) -> None:
    shutil.rmtree(rack.ledger.path.parent)
    with pytest.raises(LedgerFault):
        await record_restored(rack, operator="佐藤", because="disk replaced")
