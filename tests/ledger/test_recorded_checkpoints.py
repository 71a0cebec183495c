"""The centre's checkpoints on record: each is held to its key, its root and the ledger.

Records go in by the rack's own key: what is wrong here, only somebody with that key can write.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ledger_rack import START, FillLedger, RackKey, add, make_entry

from benchd.domain.errors import LedgerBroken
from benchd.domain.ids import JsonValue
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.ledger import SqliteLedger, export_lines, verify_ledger
from benchd.ledger.fleet_checkpoint import Branch, encode_checkpoint
from benchd.ledger.head import Head
from benchd.ledger.recorded_checkpoints import NEWEST_OF_CHECKPOINTS
from benchd.signing import canonical
from benchd.signing.private_key import SigningKey

pytestmark = pytest.mark.asyncio
CENTRE = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))
OTHER = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(31) + b"x"))
AT = START + timedelta(days=1)

Told = dict[str, JsonValue]


def head_at(path: Path, number: int) -> Head:
    line = list(export_lines(path))[number - 1]
    told = json.loads(line)
    assert isinstance(told, dict)
    return Head(sequence=number, hash=bytes.fromhex(str(told["hash"])))


def checkpoint(tip: Head, rack: str, by: SigningKey = CENTRE) -> Told:
    stranger = Branch(rack="f" * 64, branch=0, tip=Head(sequence=7, hash=bytes(32)))
    mine = Branch(rack=rack, branch=0, tip=tip)
    told = canonical.decode(encode_checkpoint([mine, stranger], 0, AT, by))
    assert isinstance(told, dict)
    return told


async def test_a_leaf_is_the_hash_of_what_the_documentation_names() -> None:
    branch = Branch(rack="f" * 64, branch=1, tip=Head(sequence=7, hash=bytes(32)))
    leaf = {"rack": "f" * 64, "branch": 1, "sequence": 7, "hash": "00" * 32}
    text = json.dumps(leaf, sort_keys=True, separators=(",", ":"))
    assert branch.leaf == hashlib.sha256(b"\0" + text.encode()).digest()


def kept(
    told: JsonValue,
    kind: EntryKind = EntryKind.CHECKPOINT_RECEIVED,
    by: SigningKey = CENTRE,
    **more: JsonValue,
) -> Entry:
    centre = by.public.public_bytes_raw().hex()
    return Entry(kind=kind, at=AT, data={"checkpoint": told, "centre": centre, **more})


async def test_each_holds_and_the_newest_is_told(fill: FillLedger, key: RackKey) -> None:
    path = await fill(30)
    rack = key.ring.rack
    await add(path, key, [kept(checkpoint(head_at(path, 30), rack))])
    report = verify_ledger(path, key.public_key_pem, key.ring).checkpoints
    assert (report.count, report.newest, report.lacked) == (1, 30, None)
    await add(path, key, [make_entry(30)])
    # Another centre's is held to that one's key.
    await add(path, key, [kept(checkpoint(head_at(path, 32), rack, OTHER), by=OTHER)])
    report = verify_ledger(path, key.public_key_pem, key.ring).checkpoints
    assert (report.count, report.newest, report.lacked) == (2, 32, None)


async def test_a_ledger_without_any_says_so(fill: FillLedger, key: RackKey) -> None:
    report = verify_ledger(await fill(3), key.public_key_pem).checkpoints
    assert (report.count, report.newest, report.lacked) == (0, 0, None)


async def test_that_the_centre_was_put_back_is_told_by_its_record(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(30)
    lack = kept(
        checkpoint(head_at(path, 20), key.ring.rack),
        EntryKind.CENTRE_LACKED,
        newest={"sequence": 0, "hash": bytes(32).hex()},
        size=None,
    )
    await add(path, key, [lack])
    report = verify_ledger(path, key.public_key_pem).checkpoints
    assert (report.count, report.lacked) == (0, (31, AT))


CHANGES: dict[str, JsonValue] = {
    "root": bytes(32).hex(),
    "path": [bytes(32).hex()],
    "at": "2026-12-24T00:00:00.000000+00:00",
    "sequence": 29,
    "hash": bytes(32).hex(),
    "index": 1,
}


@pytest.mark.parametrize("field", CHANGES)
@pytest.mark.parametrize("kind", [EntryKind.CHECKPOINT_RECEIVED, EntryKind.CENTRE_LACKED])
async def test_a_changed_one_is_named_by_its_record(
    fill: FillLedger, key: RackKey, field: str, kind: EntryKind
) -> None:
    path = await fill(30)
    told = checkpoint(head_at(path, 30), key.ring.rack)
    assert told[field] != CHANGES[field]
    await add(path, key, [kept({**told, field: CHANGES[field]}, kind)])
    with pytest.raises(LedgerBroken, match="record 31 keeps a checkpoint") as wrong:
        verify_ledger(path, key.public_key_pem)
    assert wrong.value.sequence == 31


async def test_one_signed_by_another_key_than_its_record_says_is_named(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(30)
    told = checkpoint(head_at(path, 30), key.ring.rack, OTHER)
    await add(path, key, [kept(told)])
    with pytest.raises(LedgerBroken, match="isn't signed by the centre's key"):
        verify_ledger(path, key.public_key_pem)


@pytest.mark.parametrize("what", ["another record of its number", "a later one", "another rack's"])
async def test_one_that_is_whole_but_of_another_ledger_is_named(
    fill: FillLedger, key: RackKey, what: str
) -> None:
    path = await fill(30)
    rack, head = key.ring.rack, head_at(path, 30)
    match what:
        case "another record of its number":
            told = checkpoint(Head(sequence=30, hash=bytes(31) + b"x"), rack)
        case "a later one":
            told = checkpoint(Head(sequence=40, hash=head.hash), rack)
        case _:
            told = checkpoint(head, "0" * 64)
    await add(path, key, [kept(told)])
    with pytest.raises(LedgerBroken, match="this ledger never had that one") as wrong:
        verify_ledger(path, key.public_key_pem, key.ring)
    assert wrong.value.sequence == 31


@pytest.mark.parametrize(
    "data",
    [{}, {"checkpoint": 7}, {"checkpoint": {"type": "urn:benchd:fleet-checkpoint:v2"}}],
    ids=["nothing", "no object", "a later form"],
)
async def test_a_form_of_another_release_is_no_break(
    fill: FillLedger, key: RackKey, data: Told
) -> None:
    path = await fill(3)
    entry = Entry(kind=EntryKind.CHECKPOINT_RECEIVED, at=AT, data={"centre": "x", **data})
    await add(path, key, [entry])
    report = verify_ledger(path, key.public_key_pem)
    assert (report.records, report.checkpoints.count) == (4, 0)


@pytest.mark.parametrize("kind", [EntryKind.CHECKPOINT_RECEIVED, EntryKind.CENTRE_LACKED])
async def test_the_newest_is_found_without_looking_at_all_records(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch, kind: EntryKind
) -> None:
    plans: list[str] = []
    reader = ledger._slots._reader

    def explained(condition: str, values: Sequence[str | int] = ()) -> list[StoredEntry]:
        sql = f"EXPLAIN QUERY PLAN SELECT sequence FROM record AS this {condition}"  # noqa: S608
        plans.extend(str(row) for row in reader._connection.execute(sql, tuple(values)))
        return []

    monkeypatch.setattr(reader, "select", explained)
    assert await ledger.select(NEWEST_OF_CHECKPOINTS, kind.value) == []
    assert plans
    assert all("record_of_checkpoints" in plan for plan in plans), plans
