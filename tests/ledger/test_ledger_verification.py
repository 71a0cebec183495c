"""Verification: every changed byte is found, and the first broken record is named."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ledger_rack import FillLedger, RackKey, broken, forge, make_entry

from benchd.domain.errors import LedgerBroken, LedgerFault, UsageRefused
from benchd.ledger import export_lines, ledger_store, open_ledger, snapshot, verify_ledger
from benchd.ledger.head import Head
from benchd.ledger.head_file import SLOT_BYTES, head_path, read_head, reset_head
from benchd.signing.public_key import public_key_of

RECORDS = 60


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.iterdir()}


@pytest.mark.asyncio
async def test_any_changed_byte_is_found(fill: FillLedger, key: RackKey) -> None:
    path = await fill(RECORDS)
    random_ = random.Random(20261124)
    sound = path.read_bytes()
    named: set[int] = set()
    for _ in range(500):
        changed = bytearray(sound)
        changed[random_.randrange(len(sound))] ^= random_.randint(1, 255)
        path.write_bytes(changed)
        error = broken(path, key)
        assert 0 <= error.sequence <= RECORDS
        named.add(error.sequence)
    assert len(named) > RECORDS / 2
    path.write_bytes(sound)
    assert verify_ledger(path, key.public_key_pem).records == RECORDS


@pytest.mark.asyncio
async def test_the_changed_record_is_named(fill: FillLedger, key: RackKey) -> None:
    path = await fill(RECORDS)
    sound = path.read_bytes()
    bodies = [line[len('{"hash":"",') + 64 + len('"body":') : -2] for line in export_lines(path)]
    for sequence, body in enumerate(bodies, start=1):
        if len(body) > 4000:
            continue  # it lies on several pages
        errors: dict[int, str] = {}
        place = sound.find(body)
        while place >= 0:
            changed = bytearray(sound)
            changed[place + len(body) // 2] ^= 1
            path.write_bytes(changed)
            error = broken(path, key)
            errors[error.sequence] = str(error)
            place = sound.find(body, place + 1)
        # SQLite leaves old copies of records in a page's free space; those belong to no record.
        outside = errors.pop(0, "outside of them page")
        assert "outside of them page" in outside
        assert list(errors) == [sequence]
        assert f"record {sequence} has changed" in errors[sequence]


@pytest.mark.asyncio
async def test_any_changed_byte_of_the_head_is_found(fill: FillLedger, key: RackKey) -> None:
    path = await fill(5)
    head = head_path(path)
    sound = head.read_bytes()
    for place in range(len(sound)):
        changed = bytearray(sound)
        changed[place] ^= 1 + place % 255
        head.write_bytes(changed)
        with pytest.raises(LedgerBroken, match="head file doesn't verify"):
            read_head(head, public_key_of(key.public_key_pem), strict=True)
        if place % 20 == 0:
            assert "head file doesn't verify" in str(broken(path, key))
    for cut in (b"", sound[:-1], sound + b"\n"):
        head.write_bytes(cut)
        broken(path, key)
    # A write that a power cut tore spoils one slot; the next start takes the other one.
    for start in (0, SLOT_BYTES):
        torn = bytearray(sound)
        torn[start + 100 : start + SLOT_BYTES] = bytes(SLOT_BYTES - 100)
        head.write_bytes(torn)
        broken(path, key)
        async with open_ledger(path, head_key=key):
            pass
        assert verify_ledger(path, key.public_key_pem).signed_records == 5
    head.write_bytes(sound[:50])
    with pytest.raises(LedgerBroken, match="head file doesn't verify"):
        async with open_ledger(path, head_key=key):
            pytest.fail("it must not open")
    head.unlink()
    assert "head file is gone" in str(broken(path, key))


@pytest.mark.asyncio
async def test_a_cut_or_longer_file_is_found(fill: FillLedger, key: RackKey) -> None:
    path = await fill(RECORDS)
    sound = path.read_bytes()
    pages = len(sound) // 4096
    cuts = [number * 4096 for number in range(pages)]
    cuts += [random.Random(1).randrange(len(sound)) for _ in range(20)]
    for cut in cuts:
        path.write_bytes(sound[:cut])
        broken(path, key)
    for more in (b"\0", bytes(4096), sound[-4096:]):
        path.write_bytes(sound + more)
        assert broken(path, key).sequence == 0
    path.unlink()
    with pytest.raises(LedgerFault):
        verify_ledger(path, key.public_key_pem)


@pytest.mark.asyncio
async def test_a_head_that_is_one_older_is_fine_and_a_newer_one_is_not(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(10)
    old_ledger, old_head = path.read_bytes(), head_path(path).read_bytes()
    await fill(1)
    head_path(path).write_bytes(old_head)
    report = verify_ledger(path, key.public_key_pem)
    assert (report.records, report.signed_records) == (11, 10)
    async with open_ledger(path, head_key=key):
        pass
    assert verify_ledger(path, key.public_key_pem).signed_records == 11
    path.write_bytes(old_ledger)
    assert broken(path, key).sequence == 11
    with pytest.raises(LedgerBroken) as caught:
        async with open_ledger(path, head_key=key):
            pytest.fail("it must not open")
    assert caught.value.sequence == 11
    path.unlink()
    with pytest.raises(LedgerBroken):
        async with open_ledger(path, head_key=key):
            pytest.fail("it must not open")


@pytest.mark.asyncio
async def test_a_head_for_another_record_is_refused(fill: FillLedger, key: RackKey) -> None:
    path = await fill(10)
    for sequence in (10, 4):
        wrong = Head(sequence=sequence, hash=bytes(range(32)))
        reset_head(head_path(path), wrong, key)
        assert broken(path, key).sequence == sequence
        with pytest.raises(LedgerBroken, match="signed for"):
            async with open_ledger(path, head_key=key):
                pytest.fail("it must not open")


@pytest.mark.asyncio
async def test_another_key_is_refused(fill: FillLedger, key: RackKey) -> None:
    path = await fill(3)
    stranger = RackKey(private=Ed25519PrivateKey.generate())
    assert "isn't signed by this rack's key" in str(broken(path, stranger))
    with pytest.raises(LedgerBroken, match="this rack's key"):
        async with open_ledger(path, head_key=stranger):
            pytest.fail("it must not open")
    with pytest.raises(UsageRefused):
        verify_ledger(path, b"no key")
    assert verify_ledger(path, key.public_key_pem).records == 3


@pytest.mark.asyncio
async def test_damage_is_found_at_the_start_too(fill: FillLedger, key: RackKey) -> None:
    path = await fill(RECORDS)
    sound = path.read_bytes()
    changed = bytearray(sound)
    body = next(iter(export_lines(path)))[90:130]
    changed[sound.find(body) + 5] ^= 1
    path.write_bytes(changed)
    with pytest.raises(LedgerFault):
        async with open_ledger(path, head_key=key):
            pytest.fail("it must not open")


@pytest.mark.asyncio
async def test_verification_and_export_touch_nothing(fill: FillLedger, key: RackKey) -> None:
    path = await fill(RECORDS)
    before = contents(path)
    verify_ledger(path, key.public_key_pem)
    list(export_lines(path))
    assert contents(path) == before


@pytest.mark.asyncio
async def test_a_ledger_in_use_can_be_verified(
    tmp_path: Path, key: RackKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_store, "CHECKPOINT_PAGES", 15)
    path = tmp_path / "ledger.db"
    done = anyio.Event()
    seen = [0]
    async with open_ledger(path, head_key=key) as ledger, anyio.create_task_group() as group:

        async def write() -> None:
            number = 0
            while not done.is_set():
                await ledger.append(make_entry(number))
                number += 1

        group.start_soon(write)
        for _ in range(15):
            report = await to_thread.run_sync(partial(verify_ledger, path, key.public_key_pem))
            seen.append(report.records)
            await anyio.sleep(0.01)
        done.set()
    assert seen == sorted(seen)
    assert seen[-1] > 0


@pytest.mark.parametrize(
    ("written_to", "seconds", "verified"), [(15, 20.0, True), (15, 0.0, False)]
)
@pytest.mark.asyncio
async def test_a_copy_is_begun_anew_for_a_time_while_the_file_changes(
    fill: FillLedger,
    key: RackKey,
    monkeypatch: pytest.MonkeyPatch,
    *,
    written_to: int,
    seconds: float,
    verified: bool,
) -> None:
    path = await fill(3)
    left = iter(range(written_to))
    copyfile = shutil.copyfile

    def copy(source: Path, target: Path) -> None:
        copyfile(source, target)
        if source == path and (number := next(left, None)) is not None:
            os.utime(path, ns=(number, number))

    monkeypatch.setattr(shutil, "copyfile", copy)
    monkeypatch.setattr(snapshot, "COPY_SECONDS", seconds)
    with nullcontext() if verified else pytest.raises(LedgerFault, match="try again"):
        assert verify_ledger(path, key.public_key_pem).records == 3


@pytest.mark.asyncio
async def test_an_empty_ledger_verifies(fill: FillLedger, key: RackKey) -> None:
    path = await fill(0)
    report = verify_ledger(path, key.public_key_pem)
    assert (report.records, report.head_hash) == (0, "00" * 32)


@pytest.mark.asyncio
async def test_export_can_be_checked_by_anyone(fill: FillLedger) -> None:
    path = await fill(RECORDS)
    previous = bytes(32)
    for number, line in enumerate(export_lines(path), start=1):
        parsed = json.loads(line)
        body = line[len('{"hash":"') + 64 + len('","body":') : -len("}\n")]
        previous = hashlib.sha256(previous + body).digest()
        assert parsed["hash"] == previous.hex()
        assert parsed["body"]["sequence"] == number
        assert json.loads(body) == parsed["body"]


@pytest.mark.asyncio
async def test_export_stops_at_a_broken_record(fill: FillLedger) -> None:
    path = await fill(9)
    forge(path, "UPDATE record SET job = 'other' WHERE sequence = 8")
    lines = export_lines(path)
    assert [next(lines) for _ in range(7)]
    with pytest.raises(LedgerBroken):
        next(lines)
