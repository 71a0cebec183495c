"""A trial of a backup leaves nothing that could take the live ledger's place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchd.config import Settings
from benchd.daemon.restore_break import try_backup
from benchd.domain.errors import LedgerBroken, UsageRefused
from benchd.ledger.manifest import Part, part_path
from tests.daemon.restored_rack import FIRST, SECOND, backup_of, lies_in, starts
from tests.daemon.rotated_rack import sell

pytestmark = pytest.mark.asyncio


async def test_what_a_trial_leaves_is_no_rollback_of_the_live_ledger(
    rack: Settings, folder: Path, tmp_path: Path
) -> None:
    envelope = await sell(rack, FIRST)
    backup = backup_of(rack, folder)
    done = try_backup(rack, backup, trial := tmp_path / "trial")
    assert (trial / "certificates" / f"{FIRST}.json").read_bytes() == envelope
    head = done.ledger.with_name(done.ledger.name + ".head")
    assert head.read_bytes() == part_path(backup, Part.HEAD).read_bytes()
    await sell(rack, SECOND)
    for ending in ("", ".head"):
        shutil.copy(f"{done.ledger}{ending}", f"{rack.ledger.path}{ending}")
    with pytest.raises(LedgerBroken, match="names record"):
        await starts(rack)


async def test_a_trial_replaces_nothing(rack: Settings, folder: Path, tmp_path: Path) -> None:
    await sell(rack, FIRST)
    backup = backup_of(rack, folder)
    try_backup(rack, backup, tmp_path / "trial")
    before = lies_in(tmp_path)
    for place, said in (("trial", "an empty folder"), ("state", "leave --to out")):
        with pytest.raises(UsageRefused, match=said):
            try_backup(rack, backup, tmp_path / place)
    assert lies_in(tmp_path) == before
