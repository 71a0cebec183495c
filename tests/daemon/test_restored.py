"""What a restore leaves: handsets to look at, records counted, the daemon's files, no vouching."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchd.config import Settings
from benchd.config.config_sections import AnchorSettings
from benchd.daemon.rack_metrics import metrics_of, show_ledger
from benchd.daemon.restore_break import record_restored
from benchd.daemon.system_clock import SystemClock
from benchd.domain.errors import LedgerBroken, LedgerFault
from benchd.domain.ids import JobId
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import open_ledger, verify_ledger
from tests.certificate.certificate_rack import records_of_an_erasure
from tests.daemon.rotated_rack import (
    AT,
    FIRST,
    SECOND,
    THIRD,
    append_unsigned,
    backup_of,
    files_of,
    key_of,
    restore,
    rotated,
    sell,
    starts,
)

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
    rack: Settings, backup: Path, later: Sequence[Entry]
) -> None:
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


async def counted(rack: Settings, name: str = "records") -> float:
    """What a scrape of a daemon that has just started says of its ledger."""
    key, metrics = key_of(rack), metrics_of(rack)
    async with open_ledger(rack.ledger.path, head_key=key, ring=key.ring) as ledger:
        await show_ledger(metrics, ledger, ring=key.ring, clock=SystemClock())
        [family] = [each for each in metrics.families() if each.name == f"benchd_ledger_{name}"]
        return family.samples[0].value


async def test_a_restore_that_leaves_numbers_out_adds_one_record_and_no_more(
    rack: Settings, backup: Path
) -> None:
    kept = await counted(rack)
    await sell(rack, SECOND)
    await restore(rack, backup, replaces=True)
    assert await counted(rack) == kept + 1
    await sell(rack, THIRD)
    report = verify_ledger(rack.ledger.path, key_of(rack).public_key_pem)
    assert await counted(rack) == report.records


async def test_a_restore_is_told_of_by_every_daemon_after_it(rack: Settings, backup: Path) -> None:
    assert await counted(rack, "restores") == 0
    await restore(rack, backup, replaces=True)
    assert await counted(rack, "restores") == 1
    assert await counted(rack, "restores") == 1


async def test_anchors_are_told_of_where_the_configuration_names_one(rack: Settings) -> None:
    assert not metrics_of(rack).ledger.anchors.is_used
    for anchor in (AnchorSettings(folder=Path("/mnt")), AnchorSettings(url="https://a.example/")):
        ledger = rack.ledger.model_copy(update={"anchor": anchor})
        assert metrics_of(replace(rack, ledger=ledger)).ledger.anchors.is_used


OWNER = 12_345 if os.geteuid() == 0 else os.geteuid()


@pytest.fixture
def nested(rack: Settings) -> Settings:
    """Its certificates lie below the ledger's folder, as those of the service do."""
    folder = rack.ledger.path.parent / "kept" / "certificates"
    folder.mkdir(parents=True)
    return replace(rack, certificate=rack.certificate.model_copy(update={"directory": folder}))


def owners(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_uid for path in folder.rglob("*")}


async def test_whoever_restores_as_root_leaves_nothing_that_the_daemons_user_cannot_open(
    nested: Settings, folder: Path
) -> None:
    await sell(nested, FIRST)
    backup = backup_of(nested, folder)
    state = nested.ledger.path.parent
    for path in (state, *state.rglob("*")):
        os.chown(path, OWNER, -1)
    # A ledger that is numbered on.
    await record_restored(nested, operator="佐藤", because="disk replaced")
    found = owners(state)
    assert "ledger.db.head" in found
    assert set(found.values()) == {OWNER}
    # Folders that a restore makes.
    shutil.rmtree(state)
    state.mkdir()
    os.chown(state, OWNER, -1)
    await restore(nested, backup)
    found = owners(state)
    assert f"kept/certificates/{FIRST}.json" in found
    assert set(found.values()) == {OWNER}
    shutil.rmtree(state)
    with pytest.raises(LedgerFault):
        await record_restored(nested, operator="佐藤", because="disk replaced")


def signed_up_to(rack: Settings) -> int:
    return verify_ledger(rack.ledger.path, key_of(rack).public_key_pem).signed_records


async def test_the_one_record_that_a_crash_leaves_is_signed_by_the_next_start(
    rack: Settings,
) -> None:
    await sell(rack, FIRST)
    signed = signed_up_to(rack)
    append_unsigned(rack.ledger.path, 1)
    assert await starts(rack) == signed_up_to(rack) == signed + 1


@pytest.mark.parametrize("count", [2, 30])
async def test_neither_a_start_nor_a_rotation_signs_what_no_crash_leaves(
    rack: Settings, count: int
) -> None:
    await sell(rack, FIRST)
    signed = signed_up_to(rack)
    append_unsigned(rack.ledger.path, count)
    says = f"up to record {signed}, and {count} records follow"
    with pytest.raises(LedgerBroken, match=says) as found:
        await starts(rack)
    assert found.value.sequence == signed + 1
    assert "benchd ledger restored --unsigned" in found.value.cure
    with pytest.raises(LedgerBroken, match=says):
        await rotated(rack)
    assert not files_of(rack).next_ring.exists()
    assert signed_up_to(rack) == signed


async def test_a_person_who_vouches_for_them_does_so_on_record(rack: Settings) -> None:
    await sell(rack, FIRST)
    signed = signed_up_to(rack)
    append_unsigned(rack.ledger.path, 2)
    with pytest.raises(LedgerBroken, match="--unsigned"):
        await record_restored(rack, operator="佐藤", because="an old .head was put back")
    assert signed_up_to(rack) == signed
    receipt = await record_restored(
        rack, operator="佐藤", because="an old .head was put back", unsigned=True
    )
    assert await starts(rack) == receipt.sequence
    async with open_ledger(rack.ledger.path, head_key=key_of(rack)) as ledger:
        told = await ledger.newest_of(EntryKind.LEDGER_RESTORED)
    assert told is not None
    assert told.entry.data["signed_sequence"] == signed
    assert told.entry.data["kept_sequence"] == signed + 2
