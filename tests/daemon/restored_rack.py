"""A rack whose backup is put back."""

from __future__ import annotations

from pathlib import Path

from benchd.config import Settings
from benchd.daemon.ledger_witnesses import witnesses_of
from benchd.daemon.rack_backup import back_up
from benchd.daemon.restore_break import Restored, restore_backup
from benchd.domain.ids import JobId
from benchd.ledger import open_ledger
from tests.daemon.rotated_rack import key_of

FIRST, SECOND = JobId("20261124-A1-0001"), JobId("20261124-A1-0002")


def at_once(_: float) -> None:
    """No pause between two pieces."""


def backup_of(rack: Settings, folder: Path) -> Path:
    path, _ = back_up(rack, folder, pace=at_once)
    return path


async def restore(rack: Settings, backup: Path, *, replaces: bool = False) -> Restored:
    return await restore_backup(
        rack, backup, operator="佐藤", because="disk replaced", replaces=replaces
    )


async def starts(rack: Settings) -> int:
    """What a daemon finds at its start: its ledger's last record, with every witness heard."""
    key = key_of(rack)
    async with open_ledger(
        rack.ledger.path,
        head_key=key,
        ring=key.ring,
        witnesses=await witnesses_of(rack, key.ring),
    ) as ledger:
        return ledger.head.sequence


def lies_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith("lock")
    }
