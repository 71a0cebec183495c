"""An older state that was put back is found by who has seen a newer one, and numbered above."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ledger_rack import FillLedger, RackKey, broken, forge, make_entry

from benchd.domain.errors import LedgerBroken
from benchd.domain.ids import JobId
from benchd.domain.record import Entry, EntryKind, Receipt
from benchd.ledger import export_lines, open_ledger, verify_ledger
from benchd.ledger.head import Head
from benchd.ledger.head_file import head_path
from benchd.ledger.ledger_store import LedgerStore
from benchd.ledger.restore_gap import GAP, number_above
from benchd.ledger.witness import Witness

RESTORED = replace(
    make_entry(0, {"operator": "佐藤", "because": "disk replaced"}),
    kind=EntryKind.LEDGER_RESTORED,
    slot=None,
    occupancy=None,
    job=None,
)

TIME = int(RESTORED.at.timestamp()) * 1_000_000


def seen(receipt: Receipt, job: str | None = None) -> Witness:
    head = Head(sequence=receipt.sequence, hash=bytes.fromhex(receipt.hash_hex))
    return Witness(told_by="a witness", head=head, job=None if job is None else JobId(job))


async def add(path: Path, key: RackKey, entries: Sequence[Entry]) -> list[Receipt]:
    async with open_ledger(path, head_key=key) as ledger:
        return [await ledger.append(entry) for entry in entries]


async def opens(path: Path, key: RackKey, *witnesses: Witness) -> None:
    async with open_ledger(path, head_key=key, witnesses=witnesses):
        pass


class Backup:
    """The ledger's files at one moment."""

    def __init__(self, path: Path) -> None:
        self._files = {file: file.read_bytes() for file in (path, head_path(path))}

    def put_back(self) -> None:
        for file, data in self._files.items():
            file.write_bytes(data)


@pytest.mark.asyncio
async def test_an_older_state_verifies_by_itself_and_not_beside_a_witness(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(20)
    backup = Backup(path)
    receipts = await add(path, key, [make_entry(n) for n in range(20, 30)])
    await opens(path, key, *map(seen, receipts))
    backup.put_back()
    assert verify_ledger(path, key.public_key_pem).records == 20
    for receipt in receipts:
        with pytest.raises(LedgerBroken, match="benchd ledger restored") as found:
            await opens(path, key, seen(receipt))
        assert found.value.sequence == receipt.sequence


@pytest.mark.asyncio
async def test_an_older_state_that_went_on_is_found_too(fill: FillLedger, key: RackKey) -> None:
    path = await fill(20)
    backup = Backup(path)
    [certified] = await add(path, key, [make_entry(20, {"disposition": "destroy"})])
    backup.put_back()
    await add(path, key, [make_entry(20), make_entry(21)])
    with pytest.raises(LedgerBroken, match="another one"):
        await opens(path, key, seen(certified))


@pytest.mark.asyncio
async def test_a_certified_job_has_its_end_on_record(fill: FillLedger, key: RackKey) -> None:
    path = await fill(29)
    backup = Backup(path)
    [last] = await add(path, key, [make_entry(29)])
    backup.put_back()
    with pytest.raises(LedgerBroken):
        await opens(path, key, seen(last))
    *_, before_the_end = export_lines(path)
    head = Head(sequence=29, hash=bytes.fromhex(before_the_end[9:73].decode()))
    witness = Witness(told_by="a certificate", head=head, job=JobId("job-2"))
    with pytest.raises(LedgerBroken, match="whose end isn't on record"):
        await opens(path, key, witness)
    await add(path, key, [make_entry(29)])
    await opens(path, key, witness)


def restore(path: Path, key: RackKey, known: int, *, later: timedelta = timedelta()) -> Receipt:
    store = LedgerStore(path, key)
    receipt = store.number_on(replace(RESTORED, at=RESTORED.at + later), known=known)
    store.close()
    return receipt


@pytest.mark.asyncio
async def test_an_honest_restore_numbers_on_above_all_that_is_known(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(20)
    backup = Backup(path)
    lost = await add(path, key, [make_entry(n) for n in range(20, 30)])
    backup.put_back()
    receipt = restore(path, key, known=30)
    assert receipt.sequence == TIME
    [after] = await add(path, key, [make_entry(30)])
    assert after.sequence == TIME + 1
    await opens(path, key, *map(seen, [*lost, receipt, after]))
    report = verify_ledger(path, key.public_key_pem)
    assert (report.records, report.signed_records) == (22, TIME + 1)
    assert len(list(export_lines(path))) == 22
    # Once more, from a state that has a gap already, by a clock that stands still.
    assert restore(path, key, known=after.sequence).sequence == TIME + 2 * GAP
    await add(path, key, [make_entry(n) for n in range(150)])
    await opens(path, key, *map(seen, [*lost, receipt, after]))


@pytest.mark.asyncio
async def test_no_number_comes_twice_where_nobody_knows_of_the_first_restore_any_more(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(20)
    backup = Backup(path)
    first = restore(path, key, known=20)
    given = [first, *await add(path, key, [make_entry(n) for n in range(20, 30)])]
    backup.put_back()
    second = restore(path, key, known=20, later=timedelta(milliseconds=10))
    assert second.sequence > max(receipt.sequence for receipt in given)
    # A certificate of the first time is of what was lost, and accuses nobody.
    await opens(path, key, *map(seen, given))


@pytest.mark.parametrize("known", [0, 999_999, 1_000_000, TIME + 5])
def test_a_clock_that_is_set_back_numbers_on_above_all_that_is_known(known: int) -> None:
    number = number_above(known, datetime(1970, 1, 1, tzinfo=UTC))
    assert number > known + GAP
    assert number % GAP == 0


@pytest.mark.asyncio
async def test_a_restore_that_the_rack_has_not_signed_is_none(
    fill: FillLedger, key: RackKey, tmp_path: Path
) -> None:
    path = await fill(5)
    other = RackKey(private=Ed25519PrivateKey.from_private_bytes(bytes(32)))
    copy = tmp_path / "copy.db"
    shutil.copy(path, copy)
    # Who has no key takes the head away; who has another writes one of his own.
    assert "isn't signed" in str(await forged(copy, other, key))


async def forged(copy: Path, other: RackKey, key: RackKey) -> LedgerBroken:
    sound = LedgerStore(copy.with_name("ledger.db"), key)
    sound._head_key = other
    sound.number_on(RESTORED, known=5)
    sound.close()
    return broken(copy.with_name("ledger.db"), key)


@pytest.mark.asyncio
async def test_a_gap_that_nobody_recorded_is_none(fill: FillLedger, key: RackKey) -> None:
    path = await fill(20)
    restore(path, key, known=20)
    forge(path, "DELETE FROM record WHERE sequence = 20")
    error = broken(path, key)
    assert error.sequence == 20
