"""Verification: whatever was changed is found, by a flipped byte or by SQL, and is named.

All that somebody with the file and without the key can do; and what a start believes of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path

import anyio
import apsw
import pytest
from anyio import to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ledger_rack import (
    FillLedger,
    RackKey,
    add,
    broken,
    forge,
    make_anew,
    make_entries,
    make_entry,
    opens,
    refused,
)

from benchd.domain.errors import LedgerBroken, LedgerFault, UsageRefused
from benchd.ledger import export_lines, ledger_store, open_ledger, snapshot, verify_ledger
from benchd.ledger.chain import linked_rows
from benchd.ledger.checksum_vfs import CHECKSUM_VFS
from benchd.ledger.head import EMPTY_HEAD, Head
from benchd.ledger.head_file import SLOT_BYTES, head_path, read_head, reset_head
from benchd.ledger.ledger_database import open_for_reading, open_for_writing
from benchd.ledger.ledger_store import LedgerStore
from benchd.ledger.prepared_head import Prepared, decode_prepared, encode_prepared
from benchd.ledger.start_check import TAIL_RECORDS
from benchd.signing.public_key import public_key_of

RECORDS = 60

pytestmark = pytest.mark.asyncio


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.iterdir()}


async def test_a_chain_whose_reading_is_interrupted_does_not_look_like_its_end(
    fill: FillLedger,
) -> None:
    path = await fill(RECORDS)
    with (
        closing(open_for_reading(path)) as connection,
        closing(linked_rows(connection, EMPTY_HEAD)) as rows,
    ):
        next(rows)
        connection.interrupt()
        with pytest.raises(LedgerFault, match="can't be read now"):
            list(rows)


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


async def test_the_changed_record_is_named_and_no_start_takes_it(
    fill: FillLedger, key: RackKey
) -> None:
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
    with pytest.raises(LedgerFault):
        await opens(path, key)
    changed = bytearray(sound)
    changed[sound.find(bodies[0]) + len(bodies[0]) // 2] ^= 1
    path.write_bytes(changed)
    with pytest.raises(LedgerFault):
        await opens(path, key)


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
        await opens(path, key)
        assert verify_ledger(path, key.public_key_pem).signed_records == 5
    head.write_bytes(sound[:50])
    await refused(path, key, match="head file doesn't verify")
    head.unlink()
    assert "head file is gone" in str(broken(path, key))


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


async def test_a_head_that_is_one_older_is_fine_and_a_newer_one_is_not(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(10)
    old_ledger, old_head = path.read_bytes(), head_path(path).read_bytes()
    await fill(1)
    head_path(path).write_bytes(old_head)
    report = verify_ledger(path, key.public_key_pem)
    assert (report.records, report.signed_records) == (11, 10)
    await opens(path, key)
    assert verify_ledger(path, key.public_key_pem).signed_records == 11
    path.write_bytes(old_ledger)
    assert broken(path, key).sequence == 11
    assert (await refused(path, key)).sequence == 11
    path.unlink()
    await refused(path, key)


async def test_a_head_for_another_record_is_refused(fill: FillLedger, key: RackKey) -> None:
    path = await fill(10)
    for sequence in (10, 4):
        wrong = Head(sequence=sequence, hash=bytes(range(32)))
        reset_head(head_path(path), wrong, key)
        assert broken(path, key).sequence == sequence
        await refused(path, key, match="signed for")


async def test_another_key_is_refused(fill: FillLedger, key: RackKey) -> None:
    path = await fill(3)
    stranger = RackKey(private=Ed25519PrivateKey.generate())
    assert "isn't signed by this rack's key" in str(broken(path, stranger))
    await refused(path, stranger, match="this rack's key")
    with pytest.raises(UsageRefused):
        verify_ledger(path, b"no key")
    assert verify_ledger(path, key.public_key_pem).records == 3


async def test_verification_and_export_touch_nothing(fill: FillLedger, key: RackKey) -> None:
    report = verify_ledger(await fill(0), key.public_key_pem)
    assert (report.records, report.head_hash) == (0, "00" * 32)
    path = await fill(RECORDS)
    before = contents(path)
    verify_ledger(path, key.public_key_pem)
    list(export_lines(path))
    assert contents(path) == before


async def test_a_ledger_in_use_can_be_verified(
    path: Path, key: RackKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_store, "CHECKPOINT_PAGES", 15)
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


@pytest.mark.parametrize(("seconds", "verified"), [(20.0, True), (0.0, False)])
async def test_a_copy_is_begun_anew_for_a_time_while_the_file_changes(
    fill: FillLedger, key: RackKey, monkeypatch: pytest.MonkeyPatch, seconds: float, verified: bool
) -> None:
    path = await fill(3)
    left = iter(range(15))
    copyfile = shutil.copyfile

    def copy(source: Path, target: Path) -> None:
        copyfile(source, target)
        if source == path and (number := next(left, None)) is not None:
            os.utime(path, ns=(number, number))

    monkeypatch.setattr(shutil, "copyfile", copy)
    monkeypatch.setattr(snapshot, "COPY_SECONDS", seconds)
    with nullcontext() if verified else pytest.raises(LedgerFault, match="try again"):
        assert verify_ledger(path, key.public_key_pem).records == 3


async def test_export_can_be_checked_by_anyone_and_stops_at_a_broken_record(
    fill: FillLedger,
) -> None:
    path = await fill(RECORDS)
    previous = bytes(32)
    for number, line in enumerate(export_lines(path), start=1):
        parsed = json.loads(line)
        body = line[len('{"hash":"') + 64 + len('","body":') : -len("}\n")]
        previous = hashlib.sha256(previous + body).digest()
        assert parsed["hash"] == previous.hex()
        assert parsed["body"]["sequence"] == number
        assert json.loads(body) == parsed["body"]
    forge(path, "UPDATE record SET job = 'other' WHERE sequence = 8")
    lines = export_lines(path)
    assert [next(lines) for _ in range(7)]
    with pytest.raises(LedgerBroken):
        next(lines)


@pytest.mark.parametrize(
    ("statements", "sequence"),
    [
        (["DELETE FROM record WHERE sequence > 50"], 51),
        (["DELETE FROM record"], 1),
        (["DELETE FROM record WHERE sequence = 20"], 20),
        (["DELETE FROM record WHERE sequence < 20"], 1),
        (["UPDATE record SET kind = 'job_ended' WHERE sequence = 7"], 7),
        (["UPDATE record SET job = 'other' WHERE sequence = 8"], 8),
        (["UPDATE record SET job = NULL WHERE sequence = 8"], 8),
        (["UPDATE record SET slot = 'B7' WHERE sequence = 9"], 9),
        (["UPDATE record SET occupancy = 99 WHERE sequence = 10"], 10),
        (["UPDATE record SET body = CAST(body || ' ' AS BLOB) WHERE sequence = 11"], 11),
        (["UPDATE record SET previous = zeroblob(32) WHERE sequence = 12"], 12),
        (["UPDATE record SET hash = zeroblob(32) WHERE sequence = 13"], 13),
        (["UPDATE record SET sequence = 61 WHERE sequence = 14"], 14),
    ],
)
async def test_what_is_forged_by_sql_is_found(
    fill: FillLedger, key: RackKey, statements: list[str], sequence: int
) -> None:
    path = await fill(RECORDS)
    forge(path, *statements)
    assert broken(path, key).sequence == sequence


async def test_a_chain_that_was_made_anew_fails_at_the_head(fill: FillLedger, key: RackKey) -> None:
    path = await fill(RECORDS)
    make_anew(path, 30)
    assert "isn't the one that the head was signed for" in str(broken(path, key))
    await refused(path, key, match="signed for")


async def test_missing_triggers_and_indexes_are_found(fill: FillLedger, key: RackKey) -> None:
    path = await fill(3)
    for statement in (
        "DROP TRIGGER record_is_never_deleted",
        "DROP INDEX record_by_job",
        "CREATE TABLE more (x)",
    ):
        copy = path.with_name("copy.db")
        shutil.copy(path, copy)
        shutil.copy(head_path(path), head_path(copy))
        with closing(apsw.Connection(str(copy), vfs=CHECKSUM_VFS)) as connection:
            connection.execute(statement)
        assert "tables or triggers" in str(broken(copy, key))
        await refused(copy, key, match="tables or triggers")


async def test_the_triggers_hold(fill: FillLedger) -> None:
    path = await fill(3)
    insert = (
        "INSERT {0} INTO record SELECT {1}, {2}, hash, kind, slot, occupancy, job, body FROM record"
    )
    last = "(SELECT hash FROM record WHERE sequence = 3)"
    with closing(open_for_writing(path)) as connection:
        for statement, reason in (
            ("DELETE FROM record WHERE sequence = 3", "never deleted"),
            ("UPDATE record SET slot = NULL", "never changed"),
            (insert.format("", 5, last) + " WHERE sequence = 3", "next sequence"),
            (insert.format("", 4, "zeroblob(32)") + " WHERE sequence = 3", "hash of the last"),
            (insert.format("OR REPLACE", 2, last) + " WHERE sequence = 3", "next sequence"),
            (insert.format("OR IGNORE", 2, last) + " WHERE sequence = 3", "next sequence"),
        ):
            with pytest.raises(apsw.ConstraintError, match=reason):
                connection.execute(statement)
        connection.execute(insert.format("", 4, last) + " WHERE sequence = 3")


async def test_a_foreign_or_newer_database_is_refused(tmp_path: Path, key: RackKey) -> None:
    for reason, statement in (
        ("not a ledger", "CREATE TABLE t (x)"),
        ("newer benchd", "PRAGMA user_version = 99"),
    ):
        path = tmp_path / f"{len(reason)}.db"
        with closing(apsw.Connection(str(path))) as connection:
            connection.execute(statement)
        with pytest.raises(LedgerFault, match=reason):
            await opens(path, key)


async def test_a_record_that_is_no_entry_is_named(fill: FillLedger, key: RackKey) -> None:
    path = await fill(1)
    body = b'{"sequence":2}'
    head = bytes.fromhex(verify_ledger(path, key.public_key_pem).head_hash)
    digest = hashlib.sha256(head + body).hexdigest()
    forge(
        path,
        "INSERT INTO record VALUES "  # noqa: S608
        f"(2, x'{head.hex()}', x'{digest}', 'decision', NULL, NULL, NULL, x'{body.hex()}')",
    )
    error = broken(path, key)
    assert error.sequence == 2
    assert "can't be understood" in str(error)


SIGNED = 20


@pytest.mark.parametrize("first", [0, 1])
async def test_the_signed_record_is_looked_at_however_many_follow_it(
    tmp_path: Path, key: RackKey, first: int
) -> None:
    """Also where somebody says that all those are the rack's own, and has them signed."""
    last = SIGNED + TAIL_RECORDS + 20
    signed, long = tmp_path / "signed.db", tmp_path / "long.db"
    await add(signed, key, make_entries(range(SIGNED)))
    await add(long, key, make_entries(range(first, last)))
    shutil.copy(head_path(signed), head_path(long))
    if first == 0:
        LedgerStore(long, key, unsigned=True).close()
        return
    with pytest.raises(LedgerBroken, match="isn't the one that the head was signed for"):
        LedgerStore(long, key, unsigned=True)


HERE, NEXT = (Head(sequence=number, hash=bytes([number]) * 32) for number in (7, 8))


@pytest.mark.parametrize(
    ("reached", "following", "leads_on"),
    [(HERE, NEXT, True), (HERE, HERE, False), (NEXT, HERE, False)],
)
async def test_a_prepared_head_leads_forward(
    key: RackKey, reached: Head, following: Head, leads_on: bool
) -> None:
    prepared = Prepared(reached=reached, next=following)
    data, signer = encode_prepared(prepared, key), public_key_of(key.public_key_pem)
    if leads_on:
        assert decode_prepared(data, signer) == prepared
        return
    with pytest.raises(ValueError, match="backwards"):
        decode_prepared(data, signer)
