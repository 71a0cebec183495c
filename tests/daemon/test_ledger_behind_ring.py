"""A ledger that ends where a retired key still counts, and a ring that knows it went on."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from benchd.certificate import SigningKey, load_key
from benchd.config import Settings
from benchd.daemon.key_rotation import Leave
from benchd.daemon.ledger_witnesses import witnesses_of
from benchd.daemon.restore_break import record_restored
from benchd.domain.errors import LedgerBroken, SignedByRetired
from benchd.domain.ids import Evidence
from benchd.domain.record import Entry, EntryKind
from benchd.lab.adversity.rewriting import cut_off, rewrite
from benchd.ledger import open_ledger, verify_ledger
from benchd.ledger.head import Head
from benchd.ledger.head_file import head_path, reset_head
from benchd.ledger.witness import RESTORE_CURE
from tests.daemon.rotated_rack import AT, JOBS, files_of, key_of, make_rack, rotated, sell

pytestmark = pytest.mark.asyncio


async def retired(settings: Settings) -> tuple[SigningKey, Head]:
    """The key that a rotation has retired, as its thief has it, and the last record under it."""
    stolen = load_key(settings.certificate.key)
    told = (await rotated(settings)).ring.rotations[-1].retirement
    return stolen, Head(sequence=told.sequence, hash=bytes.fromhex(told.head_hash))


async def start(settings: Settings) -> None:
    """As the daemon starts."""
    key = key_of(settings)
    witnesses = await witnesses_of(settings, key.ring)
    async with open_ledger(settings.ledger.path, head_key=key, ring=key.ring, witnesses=witnesses):
        pass


async def refused(settings: Settings, match: str) -> None:
    """By whoever verifies a copy, by the daemon's start, and by the next rotation."""
    key = key_of(settings)
    with pytest.raises(LedgerBroken, match=match):
        verify_ledger(settings.ledger.path, key.public_key_pem, key.ring)
    with pytest.raises(LedgerBroken, match=match) as told:
        await start(settings)
    assert told.value.cure == RESTORE_CURE
    with pytest.raises(LedgerBroken, match=match):
        await rotated(settings)
    assert not files_of(settings).next_ring.exists()


async def restored(settings: Settings, *, retired: bool = False, lost: int = 0) -> None:
    """The cure: on record, and from then on all goes as before but for `lost` certificates."""
    record = partial(record_restored, settings, operator="佐藤", because="disk replaced")
    if retired:
        before = settings.ledger.path.read_bytes()
        with pytest.raises(SignedByRetired, match="retired"):
            await record()
        assert settings.ledger.path.read_bytes() == before
    await record(retired=retired)
    await start(settings)
    await rotated(settings, leave=Leave(certificates=lost))
    key = key_of(settings)
    verify_ledger(settings.ledger.path, key.public_key_pem, key.ring)
    await start(settings)


@pytest.mark.parametrize("by", ["its backup", "a thief of the old key"])
async def test_a_ledger_that_is_cut_off_right_before_a_rotation_is_refused(
    tmp_path: Path, by: str
) -> None:
    settings = make_rack(tmp_path)
    await sell(settings, JOBS[0])
    shutil.copytree(tmp_path / "state", tmp_path / "backup")
    stolen, last = await retired(settings)
    await sell(settings, JOBS[1])
    shutil.rmtree(tmp_path / "certificates")
    if by == "its backup":
        shutil.rmtree(tmp_path / "state")
        (tmp_path / "backup").rename(tmp_path / "state")
    else:
        cut_off(settings.ledger.path, after=last.sequence)
        reset_head(head_path(settings.ledger.path), last, stolen)
    await refused(settings, f"signed up to record {last.sequence} .* rotation")
    await restored(settings, retired=True)


async def test_what_a_stolen_old_key_lets_nobody_sign_can_not_be_rewritten(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    await sell(settings, JOBS[0])
    stolen, last = await retired(settings)
    await sell(settings, JOBS[1])
    shutil.rmtree(tmp_path / "certificates")

    def spared(record: Evidence) -> Evidence:
        data = record["data"]
        assert isinstance(data, Mapping)
        if (record["kind"], record["job"]) != ("job_ended", JOBS[1]):
            return record
        return {**record, "data": {**data, "outcome": "failed"}}

    number = rewrite(settings.ledger.path, spared, whole_chain=True)
    assert number is not None
    assert number > last.sequence
    reset_head(head_path(settings.ledger.path), last, stolen)
    await refused(settings, f"signed up to record {last.sequence} .* rotation")


async def test_a_rotation_that_is_not_on_record_is_missed(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    await sell(settings, JOBS[0])
    _, last = await retired(settings)
    key = key_of(settings)
    cut_off(settings.ledger.path, after=last.sequence)
    reset_head(head_path(settings.ledger.path), last, key)
    async with open_ledger(settings.ledger.path, head_key=key) as ledger:
        for _ in range(2):
            await ledger.append(Entry(kind=EntryKind.DAEMON_STARTED, at=AT, data={}))
    await refused(settings, f"record {last.sequence + 1} isn't the rotation")
    await restored(settings)


async def test_a_rotation_stands_where_it_was_made(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    await sell(settings, JOBS[0])
    await rotated(settings)
    key = key_of(settings)
    async with open_ledger(settings.ledger.path, head_key=key, ring=key.ring) as ledger:
        found = await ledger.newest_of(EntryKind.KEY_ROTATED)
        assert found is not None
        again = await ledger.append(found.entry)
    with pytest.raises(LedgerBroken, match=f"record {again.sequence} retires a key"):
        verify_ledger(settings.ledger.path, key.public_key_pem, key.ring)


async def test_a_rotation_on_record_that_nobody_can_read_is_none(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    key = key_of(settings)
    async with open_ledger(settings.ledger.path, head_key=key) as ledger:
        await ledger.append(Entry(kind=EntryKind.KEY_ROTATED, at=AT, data={"statement": 7}))
    with pytest.raises(LedgerBroken, match="record 1 retires a key"):
        await start(settings)


@pytest.mark.parametrize("rotations", [0, 1])
async def test_a_key_is_not_rotated_while_the_ledger_is_away(
    tmp_path: Path, rotations: int
) -> None:
    settings = make_rack(tmp_path)
    for _ in range(rotations):
        await rotated(settings)
    await sell(settings, JOBS[0])
    key = key_of(settings)
    for file in (tmp_path / "state").iterdir():
        file.unlink()
    with pytest.raises(LedgerBroken, match="names record"):
        await rotated(settings)
    assert key_of(settings).key_id == key.key_id
    with pytest.raises(LedgerBroken, match="names record"):
        await start(settings)
    await restored(settings, lost=1)
