"""A restore names the handsets for sale that what is lost may have held or doomed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchd.config import Settings
from benchd.domain.ids import JobId
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import open_ledger
from tests.certificate.certificate_rack import records_of_an_erasure
from tests.daemon.restored_rack import FIRST, SECOND, backup_of, restore
from tests.daemon.rotated_rack import AT, key_of, sell

pytestmark = pytest.mark.asyncio


async def write(rack: Settings, *entries: Entry) -> None:
    key = key_of(rack)
    async with open_ledger(rack.ledger.path, head_key=key, ring=key.ring) as ledger:
        for entry in entries:
            await ledger.append(entry)


def hold_of(job: JobId) -> Entry:
    """What another system asks for."""
    told = {"hook": "stock", "event": "36-x", "sequence": 36, "job": job}
    asked = {"next_action": "hold", "bin": None, "refused": None}
    return Entry(kind=EntryKind.HOOK_ANSWERED, at=AT, data={**told, **asked})


def doom_of(job: JobId) -> tuple[Entry, ...]:
    """Another job of the handset that `sell` sells, and it is to be destroyed."""
    told = {"outcome": "failed", "disposition": "destroy", "reason": "chip_used", "detail": ""}
    end = Entry(kind=EntryKind.JOB_ENDED, at=AT, job=job, data={**told, "certificate": None})
    return (*(replace(each.entry, job=job) for each in records_of_an_erasure()), end)


@pytest.mark.parametrize("later", [(hold_of(FIRST),), doom_of(SECOND)], ids=["held", "doomed"])
async def test_handsets_that_the_former_ledger_held_or_doomed_are_named(
    rack: Settings, folder: Path, later: Sequence[Entry]
) -> None:
    await sell(rack, FIRST)
    backup = backup_of(rack, folder)
    await write(rack, *later)
    done = await restore(rack, backup, replaces=True)
    assert (done.look_at.jobs, done.look_at.from_former) == ([FIRST], True)
    # What is replaced now is what the first restore has left, and knows nothing of it.
    again = await restore(rack, backup, replaces=True)
    assert (again.look_at.jobs, again.look_at.from_former) == ([FIRST], False)


async def test_of_handsets_that_nothing_lost_is_about_none_is_named(
    rack: Settings, folder: Path
) -> None:
    await sell(rack, FIRST)
    done = await restore(rack, backup_of(rack, folder))
    assert (done.look_at.jobs, done.look_at.from_former) == ([], True)


@pytest.mark.parametrize("former", ["torn", "gone", "older"])
async def test_without_the_former_ledger_all_that_is_for_sale_is_named(
    rack: Settings, folder: Path, tmp_path: Path, former: str
) -> None:
    await sell(rack, FIRST)
    shutil.copytree(tmp_path / "state", older := tmp_path / "older")
    backup = backup_of(rack, folder)
    await sell(rack, SECOND)
    match former:
        case "torn":
            rack.ledger.path.write_bytes(b"torn" * 5000)
        case "gone":
            shutil.rmtree(tmp_path / "state")
        case _:
            # A certificate knows of more.
            shutil.rmtree(tmp_path / "state")
            older.rename(tmp_path / "state")
    done = await restore(rack, backup, replaces=True)
    assert (done.look_at.jobs, done.look_at.from_former) == ([FIRST], False)


@pytest.mark.parametrize("later", [(hold_of(FIRST),), doom_of(SECOND)], ids=["held", "doomed"])
async def test_what_the_backup_itself_holds_back_is_not_for_sale(
    rack: Settings, folder: Path, tmp_path: Path, later: Sequence[Entry]
) -> None:
    await sell(rack, FIRST)
    await write(rack, *later)
    backup = backup_of(rack, folder)
    shutil.rmtree(tmp_path / "state")
    done = await restore(rack, backup)
    assert (done.look_at.jobs, done.look_at.from_former) == ([], False)
