"""A backup made beside writers is put back; a tampered one isn't, and no loss is unsaid."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from benchd.config import Settings
from benchd.daemon.rack_people import people_file
from benchd.daemon.restore_break import restore_backup, try_backup
from benchd.domain.errors import (
    BackupInvalid,
    LedgerBroken,
    LedgerFault,
    SignedByRetired,
    UsageRefused,
    WouldLose,
)
from benchd.domain.ids import Evidence, JobId
from benchd.domain.record import Entry, EntryKind, Receipt
from benchd.ledger import open_ledger, verify_ledger
from benchd.ledger import restore as restore_module
from benchd.ledger.lock import writer_lock
from benchd.ledger.manifest import Part, part_path
from benchd.people.secrets_store import SecretStore
from tests.daemon.rotated_rack import (
    AT,
    FIRST,
    SECOND,
    backup_of,
    key_of,
    lies_in,
    make_rack,
    restore,
    rotated,
    sell,
    starts,
)
from tests.program import BENCHD

pytestmark = pytest.mark.asyncio

WRITERS = 64
WRITES_EVERY_S = 0.5
"""Faster than slots do; without a break they would write more than backups can read."""


@pytest.fixture
def tmp_path(on_disk: Path) -> Path:
    """Slots write while a backup is made: in memory they would write ten times as much."""
    return on_disk


async def restored(rack: Settings) -> Evidence:
    """What the record of the break says."""
    async with open_ledger(rack.ledger.path, head_key=key_of(rack)) as ledger:
        told = await ledger.newest_of(EntryKind.LEDGER_RESTORED)
    assert told is not None
    return told.entry.data


def hashes(ledger: Path, receipts: Sequence[Receipt]) -> dict[int, str]:
    """The hashes of these records as a ledger has them."""
    with closing(restore_module.open_for_reading(ledger)) as connection:
        rows = dict(connection.execute("SELECT sequence, hex(hash) FROM record"))
    return {
        receipt.sequence: str(rows[receipt.sequence]).lower()
        for receipt in receipts
        if receipt.sequence in rows
    }


@pytest.mark.parametrize("backups", [1, pytest.param(5, marks=pytest.mark.nightly)])
async def test_backups_while_64_slots_write_have_all_that_was_acknowledged_up_to_their_head(
    rack: Settings, folder: Path, tmp_path: Path, backups: int
) -> None:
    key, receipts, made = key_of(rack), list[Receipt](), anyio.Event()
    least = 0

    async with open_ledger(rack.ledger.path, head_key=key, ring=key.ring) as ledger:

        async def write(slot: int) -> None:
            number = 0
            while not made.is_set():
                entry = Entry(
                    kind=EntryKind.STAGE_STARTED, at=AT, job=JobId(f"job-{slot}-{number // 10}")
                )
                receipts.append(await ledger.append(entry))
                number += 1
                await anyio.sleep(WRITES_EVERY_S)

        async with anyio.create_task_group() as slots:
            for slot in range(WRITERS):
                slots.start_soon(write, slot)
            while len(receipts) < WRITERS:
                await anyio.lowlevel.checkpoint()
            least = len(receipts)
            for number in range(backups):
                (each := folder / str(number)).mkdir()
                command = ["ledger", "backup", each, "--config", tmp_path / "benchd.toml"]
                await anyio.run_process([*BENCHD, *map(str, command)])
            made.set()
    for number in range(backups):
        [backup] = (folder / str(number)).glob("*.json")
        done = try_backup(rack, backup, tmp_path / f"root{number}")
        head = done.manifest.head.sequence
        assert head >= least
        acknowledged = [receipt for receipt in receipts if receipt.sequence <= head]
        kept = hashes(done.ledger, receipts)
        assert kept == {receipt.sequence: receipt.hash_hex for receipt in acknowledged}
        assert verify_ledger(done.ledger, key.public_key_pem).records == head


async def test_on_another_root_certificates_badges_and_pins_are_there_again(
    rack: Settings, folder: Path, tmp_path: Path
) -> None:
    envelope = await sell(rack, FIRST)
    with closing(SecretStore(people_file(rack.ledger.path))) as store:
        mark = store.keep(b"a PIN's hash")
    backup = backup_of(rack, folder)
    shutil.rmtree(tmp_path / "state")
    shutil.rmtree(rack.certificate.directory)
    done = await restore(rack, backup)
    assert (done.certificates, done.put.aside) == (1, None)
    assert (rack.certificate.directory / f"{FIRST}.json").read_bytes() == envelope
    with closing(SecretStore(people_file(rack.ledger.path))) as store:
        assert store.all() == {mark: b"a PIN's hash"}
    assert await starts(rack) == done.put.receipt.sequence


@pytest.mark.parametrize("torn", [False, True], ids=["whole", "that can't be read"])
async def test_a_ledger_that_knows_more_is_replaced_only_when_told_to_and_the_loss_on_record(
    rack: Settings, backup: Path, torn: bool
) -> None:
    await sell(rack, SECOND)
    lost = await starts(rack)
    assert lost == 72
    if torn:
        rack.ledger.path.write_bytes(b"torn" * 5000)
    with pytest.raises(WouldLose, match="can't be read" if torn else None) as refused:
        await restore(rack, backup)
    # Its signed head is whole.
    assert (refused.value.kept, refused.value.known) == (36, 72)
    assert torn or await starts(rack) == lost
    done = await restore(rack, backup, replaces=True)
    # Certificates of what was lost accuse nobody.
    assert await starts(rack) == done.put.receipt.sequence
    told = await restored(rack)
    assert (told["kept_sequence"], told["known_sequence"], told["operator"]) == (36, lost, "佐藤")
    assert done.put.aside is not None
    if torn:
        assert done.put.aside.read_bytes().startswith(b"torn")
    else:
        assert verify_ledger(done.put.aside, key_of(rack).public_key_pem).records == lost


async def test_a_ledger_that_has_no_more_than_the_backup_is_put_back_at_once(
    rack: Settings, folder: Path, tmp_path: Path
) -> None:
    await sell(rack, FIRST)
    shutil.copytree(tmp_path / "state", older := tmp_path / "older")
    await sell(rack, SECOND)
    backup = backup_of(rack, folder)
    shutil.rmtree(tmp_path / "state")
    older.rename(tmp_path / "state")
    done = await restore(rack, backup)
    assert await starts(rack) == done.put.receipt.sequence
    assert done.certificates == 2


async def test_a_backup_from_before_a_rotation_is_put_back_only_when_told_to(
    rack: Settings, backup: Path
) -> None:
    """Its key counts up to the rotation, but a thief of that key could have made another."""
    await sell(rack, SECOND)
    await rotated(rack)
    with pytest.raises(SignedByRetired):
        await restore(rack, backup, replaces=True)
    done = await restore_backup(
        rack, backup, operator="佐藤", because="x", replaces=True, retired=True
    )
    assert await starts(rack) == done.put.receipt.sequence
    key = key_of(rack)
    assert verify_ledger(rack.ledger.path, key.public_key_pem, key.ring).records == 37


def changed(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


async def test_an_older_backup_under_the_name_of_a_newer_one_is_not_put_back(
    rack: Settings, backup: Path, folder: Path, tmp_path: Path
) -> None:
    for newer, is_told in ((f"{backup.stem[:-16]}20991231T000000Z", True), ("the-latest", False)):
        for part in Part:
            shutil.copy(part_path(backup, part), folder / f"{newer}.{part.value}")
        named = Path(shutil.copy(backup, folder / f"{newer}.json"))
        if is_told:
            with pytest.raises(BackupInvalid, match="the name of another backup"):
                await restore(rack, named, replaces=True)
            with pytest.raises(BackupInvalid, match="the name of another backup"):
                try_backup(rack, named, tmp_path / "trial")
        else:
            await restore(rack, named, replaces=True)


@pytest.mark.parametrize("tampered", ["manifest", *Part, "missing", "older"])
async def test_a_backup_that_was_tampered_with_is_not_put_back(
    rack: Settings, folder: Path, tampered: str
) -> None:
    await sell(rack, FIRST)
    older = backup_of(rack, folder).read_bytes()
    for file in folder.iterdir():
        file.unlink()
    await sell(rack, SECOND)
    backup = backup_of(rack, folder)
    match tampered:
        case "manifest":
            changed(backup, backup.read_bytes().index(b'"records":') + 11)
        case "missing":
            part_path(backup, Part.LEDGER).unlink()
        case "older":
            # Signed by this rack, but for another file.
            backup.write_bytes(older)
        case _:
            changed(part_path(backup, Part(tampered)), -1)
    before = lies_in(rack.ledger.path.parent)
    with pytest.raises(BackupInvalid):
        await restore(rack, backup, replaces=True)
    assert lies_in(rack.ledger.path.parent) == before


async def test_a_backup_of_another_rack_is_not_put_back(
    rack: Settings, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = make_rack(tmp_path / "other")
    await sell(other, FIRST)
    with pytest.raises(BackupInvalid, match="isn't signed by this rack"):
        await restore(rack, backup_of(other, folder))
    assert not rack.ledger.path.exists()


async def test_nothing_is_put_back_under_a_running_daemon(rack: Settings, backup: Path) -> None:
    with writer_lock(rack.ledger.path), pytest.raises(LedgerFault, match="another benchd"):
        await restore(rack, backup, replaces=True)


async def test_a_restore_that_is_cut_short_never_lets_a_daemon_begin_anew(
    rack: Settings, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sell(rack, SECOND)
    lost, found = await starts(rack), list[str]()
    for step in range(4):
        left = step

        def sync(place: Path) -> None:
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt(place)
            left -= 1

        with monkeypatch.context() as patched:
            patched.setattr(restore_module, "sync_directory", sync)
            with pytest.raises(KeyboardInterrupt):
                await restore(rack, backup, replaces=True)
        try:
            found.append("old" if await starts(rack) == lost else "new")
        except LedgerBroken:
            found.append("refused")
    assert found == ["old", "refused", "refused", "new"]
    done = await restore(rack, backup, replaces=True)
    assert await starts(rack) == done.put.receipt.sequence


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


async def test_a_trial_replaces_nothing(
    rack: Settings, backup: Path, folder: Path, tmp_path: Path
) -> None:
    try_backup(rack, backup, tmp_path / "trial")
    before = lies_in(tmp_path)
    for place, said in (("trial", "an empty folder"), ("state", "leave --to out")):
        with pytest.raises(UsageRefused, match=said):
            try_backup(rack, backup, tmp_path / place)
    assert lies_in(tmp_path) == before
