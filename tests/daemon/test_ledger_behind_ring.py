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
from benchd.daemon.restore_break import record_restored
from benchd.domain.errors import LedgerBroken, SignedByRetired
from benchd.domain.ids import Evidence
from benchd.domain.record import Entry, EntryKind
from benchd.lab.adversity.rewriting import cut_off, rewrite
from benchd.ledger import open_ledger, verify_ledger
from benchd.ledger.head import Head
from benchd.ledger.head_file import head_path, reset_head
from benchd.ledger.witness import RESTORE_CURE
from tests.daemon.rotated_rack import (
    AT,
    FIRST,
    SECOND,
    Rack,
    files_of,
    key_of,
    rotated,
    sell,
    starts,
)

pytestmark = pytest.mark.asyncio


async def retired(settings: Settings) -> tuple[SigningKey, Head]:
    """The key that a rotation has retired, as its thief has it, and the last record under it."""
    stolen = load_key(settings.certificate.key)
    told = (await rotated(settings)).ring.rotations[-1].retirement
    return stolen, Head(sequence=told.sequence, hash=bytes.fromhex(told.head_hash))


async def refused(settings: Settings, match: str) -> None:
    """By whoever verifies a copy, by the daemon's start, and by the next rotation."""
    key = key_of(settings)
    with pytest.raises(LedgerBroken, match=match):
        verify_ledger(settings.ledger.path, key.public_key_pem, key.ring)
    with pytest.raises(LedgerBroken, match=match) as told:
        await starts(settings)
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
    await starts(settings)
    await rotated(settings, leave=Leave(certificates=lost))
    key = key_of(settings)
    verify_ledger(settings.ledger.path, key.public_key_pem, key.ring)
    await starts(settings)


@pytest.mark.parametrize("by", ["its backup", "a thief of the old key"])
async def test_a_ledger_that_is_cut_off_right_before_a_rotation_is_refused(
    rack: Settings, tmp_path: Path, by: str
) -> None:
    await sell(rack, FIRST)
    shutil.copytree(tmp_path / "state", tmp_path / "backup")
    stolen, last = await retired(rack)
    await sell(rack, SECOND)
    shutil.rmtree(tmp_path / "certificates")
    if by == "its backup":
        shutil.rmtree(tmp_path / "state")
        (tmp_path / "backup").rename(tmp_path / "state")
    else:
        cut_off(rack.ledger.path, after=last.sequence)
        reset_head(head_path(rack.ledger.path), last, stolen)
    await refused(rack, f"signed up to record {last.sequence} .* rotation")
    await restored(rack, retired=True)


async def test_what_a_stolen_old_key_lets_nobody_sign_can_not_be_rewritten(
    rack: Settings, tmp_path: Path
) -> None:
    await sell(rack, FIRST)
    stolen, last = await retired(rack)
    await sell(rack, SECOND)
    shutil.rmtree(tmp_path / "certificates")

    def spared(record: Evidence) -> Evidence:
        data = record["data"]
        assert isinstance(data, Mapping)
        if (record["kind"], record["job"]) != ("job_ended", SECOND):
            return record
        return {**record, "data": {**data, "outcome": "failed"}}

    number = rewrite(rack.ledger.path, spared, whole_chain=True)
    assert number is not None
    assert number > last.sequence
    reset_head(head_path(rack.ledger.path), last, stolen)
    await refused(rack, f"signed up to record {last.sequence} .* rotation")


async def test_a_rotation_that_is_not_on_record_is_missed(rack: Settings) -> None:
    await sell(rack, FIRST)
    _, last = await retired(rack)
    key = key_of(rack)
    cut_off(rack.ledger.path, after=last.sequence)
    reset_head(head_path(rack.ledger.path), last, key)
    async with open_ledger(rack.ledger.path, head_key=key) as ledger:
        for _ in range(2):
            await ledger.append(Entry(kind=EntryKind.DAEMON_STARTED, at=AT, data={}))
    await refused(rack, f"record {last.sequence + 1} isn't the rotation")
    await restored(rack)


async def test_a_rotation_stands_where_it_was_made(rack: Settings) -> None:
    await sell(rack, FIRST)
    await rotated(rack)
    key = key_of(rack)
    async with open_ledger(rack.ledger.path, head_key=key, ring=key.ring) as ledger:
        found = await ledger.newest_of(EntryKind.KEY_ROTATED)
        assert found is not None
        again = await ledger.append(found.entry)
    with pytest.raises(LedgerBroken, match=f"record {again.sequence} retires a key"):
        verify_ledger(rack.ledger.path, key.public_key_pem, key.ring)


async def test_a_rotation_on_record_that_nobody_can_read_is_none(rack: Settings) -> None:
    key = key_of(rack)
    async with open_ledger(rack.ledger.path, head_key=key) as ledger:
        await ledger.append(Entry(kind=EntryKind.KEY_ROTATED, at=AT, data={"statement": 7}))
    with pytest.raises(LedgerBroken, match="record 1 retires a key"):
        await starts(rack)


@pytest.mark.parametrize("rotations", [0, 1])
async def test_a_key_is_not_rotated_while_the_ledger_is_away(
    rack: Settings, tmp_path: Path, rotations: int
) -> None:
    for _ in range(rotations):
        await rotated(rack)
    await sell(rack, FIRST)
    key = key_of(rack)
    for file in (tmp_path / "state").iterdir():
        file.unlink()
    with pytest.raises(LedgerBroken, match="names record"):
        await rotated(rack)
    assert key_of(rack).key_id == key.key_id
    with pytest.raises(LedgerBroken, match="names record"):
        await starts(rack)
    await restored(rack, lost=1)


async def test_a_head_by_a_stolen_old_key_is_none(sold: Rack) -> None:
    path, key = sold.settings.ledger.path, key_of(sold.settings)
    async with open_ledger(path, head_key=key, ring=key.ring) as ledger:
        head = ledger.head
    reset_head(head_path(path), head, sold.stolen[0])
    with pytest.raises(LedgerBroken, match="isn't signed by this rack's key"):
        verify_ledger(path, key.public_key_pem, key.ring)


async def test_an_older_ledger_is_found_by_the_ring(rack: Settings, tmp_path: Path) -> None:
    await sell(rack, FIRST)
    shutil.copytree(tmp_path / "state", tmp_path / "older")
    await sell(rack, SECOND)
    await rotated(rack)
    shutil.rmtree(tmp_path / "state")
    shutil.rmtree(tmp_path / "certificates")
    (tmp_path / "older").rename(tmp_path / "state")
    with pytest.raises(LedgerBroken, match=r"the rotation of .* names record"):
        await starts(rack)
