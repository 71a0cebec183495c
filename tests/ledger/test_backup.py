"""A backup holds nothing of the ledger up, and is there whole or not at all."""

from __future__ import annotations

import random
import resource
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ledger_rack import FillLedger, RackKey, forge, make_entry

from benchd.domain.errors import BackupInvalid, DependencyMissing, LedgerBroken, LedgerFault
from benchd.ledger import ledger_copy, ledger_database, ledger_store, verify_ledger
from benchd.ledger.backup import Author, write_backup
from benchd.ledger.ledger_store import LedgerStore
from benchd.ledger.ledger_verification import verify_file
from benchd.ledger.lock import backup_lock
from benchd.ledger.manifest import Manifest, Part, digest_of, part_path, read_manifest
from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import public_key_of
from tests.lossy_disk import LossyDisk, Step, Sync, SyncNames, lossy_disk

AT = datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)
SMALL = {Part.PEOPLE: b'{"mark":"00"}', Part.RING: b"{}"}
CUTS = 60

pytestmark = pytest.mark.asyncio


def at_once(_: float) -> None:
    """No pause between two pieces."""


def author(key: RackKey) -> Author:
    return Author(key=key, ring=KeyRing.of(public_key_of(key.public_key_pem)), benchd="1.2.3")


def back_up(
    ledger: Path, folder: Path, key: RackKey, pace: Callable[[float], object] = at_once
) -> tuple[Path, Manifest]:
    return write_backup(ledger, folder, author(key), at=AT, beside=lambda: SMALL, pace=pace)


def check(manifest: Path, key: RackKey) -> Manifest:
    """All of it is as it was signed, and the ledger in it verifies."""
    ring = author(key).ring
    told = read_manifest(manifest, ring)
    assert {part: digest_of(part_path(manifest, part)) for part in told.files} == told.files
    assert verify_file(part_path(manifest, Part.LEDGER), told.head, ring).records == told.records
    return told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (made := tmp_path / "dest").mkdir()
    return made


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_copy, "PIECE_RECORDS", 10)


@pytest.mark.usefixtures("small_pieces")
async def test_a_backup_is_all_that_was_signed_when_it_began(
    fill: FillLedger, key: RackKey, folder: Path
) -> None:
    worked: list[float] = []
    path, told = back_up(await fill(45), folder, key, pace=worked.append)
    assert check(path, key) == told
    assert (told.records, told.head.sequence, told.at, told.benchd) == (45, 45, AT, "1.2.3")
    ours = {path.name, *(part_path(path, part).name for part in Part)}
    assert {file.name for file in folder.iterdir()} == ours
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    # Whoever has the public key verifies it as any ledger.
    assert verify_ledger(part_path(path, Part.LEDGER), key.public_key_pem).records == 45
    # It waits as long as it has worked.
    assert len(worked) == 5
    assert all(seconds > 0 for seconds in worked)


@pytest.mark.usefixtures("small_pieces")
async def test_between_two_pieces_an_append_goes_through_and_the_wal_is_emptied(
    fill: FillLedger, key: RackKey, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = await fill(45)
    monkeypatch.setattr(ledger_store, "CHECKPOINT_PAGES", 1)
    writer = LedgerStore(ledger, key)
    wal_bytes: list[int] = []

    def append(_: float) -> None:
        writer.append(make_entry(50))
        # The second finds the first in the WAL, and empties it before it adds itself.
        assert writer._wal_pages > 0
        writer._checkpoint_when_due()
        wal_bytes.append(ledger.with_name(ledger.name + "-wal").stat().st_size)

    path, _ = back_up(ledger, folder, key, pace=append)
    writer.close()
    assert wal_bytes == [0] * 5
    assert check(path, key).records == 45


async def test_a_piece_ends_at_so_many_bytes_too(
    fill: FillLedger, key: RackKey, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = await fill(12)
    monkeypatch.setattr(ledger_copy, "PIECE_BYTES", 1)
    paces: list[float] = []
    path, _ = back_up(ledger, folder, key, pace=paces.append)
    assert len(paces) == 12
    assert check(path, key).records == 12


@pytest.mark.usefixtures("small_pieces")
async def test_a_record_that_has_changed_is_named_and_leaves_no_backup(
    fill: FillLedger, key: RackKey, folder: Path
) -> None:
    ledger = await fill(45)
    forge(ledger, "UPDATE record SET body = CAST('{}' AS BLOB) WHERE sequence = 31")
    with pytest.raises(LedgerBroken) as found:
        back_up(ledger, folder, key)
    assert found.value.sequence == 31
    assert not list(folder.iterdir())


@pytest.mark.usefixtures("small_pieces")
async def test_what_is_cut_short_is_gone_and_what_a_kill_left_goes_next(
    fill: FillLedger, key: RackKey, folder: Path
) -> None:
    ledger = await fill(45)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(ledger, folder, key, pace=interrupt)
    assert not list(folder.iterdir())
    path, _ = back_up(ledger, folder, key)
    left = folder / f".{path.stem}.sqlite.draft"
    left.write_bytes(b"half")
    others = folder / ".benchd-of-another-rack.draft"
    others.touch()
    for file in folder.glob("benchd-*"):
        file.unlink()
    back_up(ledger, folder, key)
    assert not left.exists()
    assert others.exists()


async def test_nothing_is_overwritten_no_two_run_at_once_and_what_is_not_there_is_told(
    fill: FillLedger, key: RackKey, folder: Path, tmp_path: Path
) -> None:
    ledger = await fill(5)
    path, _ = back_up(ledger, folder, key)
    before = path.read_bytes()
    with pytest.raises(DependencyMissing, match="is there already"):
        back_up(ledger, folder, key)
    assert path.read_bytes() == before
    with backup_lock(ledger), pytest.raises(LedgerFault, match="another backup"):
        back_up(ledger, folder, key)
    with pytest.raises(DependencyMissing, match="can't be written"):
        back_up(ledger, tmp_path / "nowhere", key)
    with pytest.raises(DependencyMissing, match="there is no ledger"):
        back_up(tmp_path / "none.db", folder, key)


@pytest.mark.parametrize(("by", "told"), [(-1, "made by a newer benchd"), (1, "has form 12, from")])
async def test_a_ledger_of_another_form_is_not_backed_up(
    by: int,
    told: str,
    fill: FillLedger,
    key: RackKey,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = await fill(5)
    known = {form + by: sql for form, sql in ledger_database._migrations().items()}
    monkeypatch.setattr(ledger_database, "_migrations", lambda: known)
    with pytest.raises(LedgerFault, match=told):
        back_up(ledger, folder, key)
    assert not list(folder.iterdir())


async def test_a_disk_without_room_is_told_and_left_as_it_was(
    fill: FillLedger, key: RackKey, folder: Path
) -> None:
    ledger = await fill(45)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(DependencyMissing, match="can't be written") as told:
            back_up(ledger, folder, key)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "Make room" in told.value.cure
    assert not list(folder.iterdir())


def found_after(cut: Path, key: RackKey) -> int:
    """How many backups a power cut has left; raises for a file that is there in part."""
    manifests = list(cut.glob("benchd-*.json"))
    whole = check(manifests[0], key) if manifests else None
    for part, digest in (whole.files if whole else {}).items():
        assert digest_of(part_path(manifests[0], part)) == digest
    return len(manifests)


async def cuts_of_a_backup(
    fill: FillLedger, key: RackKey, folder: Path, patch: pytest.MonkeyPatch
) -> tuple[LossyDisk, bytes]:
    """The disk under a backup, and the ledger's file as it is when it's whole."""
    ledger = await fill(45)
    with lossy_disk(folder, patch) as disk:
        path, _ = back_up(ledger, folder, key)
        disk.told(path.name)
    return disk, part_path(path, Part.LEDGER).read_bytes()


@pytest.mark.usefixtures("small_pieces")
async def test_a_power_cut_leaves_a_whole_backup_or_none(
    fill: FillLedger,
    key: RackKey,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk, whole = await cuts_of_a_backup(fill, key, folder, monkeypatch)
    seen: set[int] = set()
    for cut in disk.cuts(CUTS, random.Random(20261127), tmp_path / "cuts"):
        count = found_after(cut.folder, key)
        assert count >= len(cut.promised)
        # No manifest yet, but a ledger of its final name is never half of one.
        assert all(file.read_bytes() == whole for file in cut.folder.glob("benchd-*.sqlite"))
        seen.add(count)
    # At the very end, whatever the disk likes to forget.
    assert not disk.cut(1, random.Random(1), tmp_path / "first")
    last = tmp_path / "last"
    assert disk.cut(len(disk.steps), random.Random(1), last)
    seen |= {found_after(tmp_path / "first", key), found_after(last, key)}
    assert seen == {0, 1}


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("forgotten", [Sync, SyncNames])
async def test_a_backup_that_is_not_synced_would_be_found_out(
    fill: FillLedger,
    key: RackKey,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forgotten: type[Step],
) -> None:
    disk, _ = await cuts_of_a_backup(fill, key, folder, monkeypatch)
    disk.steps = [step for step in disk.steps if not isinstance(step, forgotten)]
    short = 0
    for number in range(CUTS):
        cut = tmp_path / f"cut{number}"
        promised = disk.cut(len(disk.steps), random.Random(number), cut)
        try:
            short += found_after(cut, key) < len(promised)
        except (AssertionError, BackupInvalid, LedgerBroken, OSError):
            short += 1
    assert short >= CUTS // 5
