"""How many records nobody has signed, of a ledger that no daemon serves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchd.certificate import create_key
from benchd.domain.errors import LedgerBroken
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import at_rest, open_ledger
from benchd.ledger.at_rest import unsigned_records
from benchd.ledger.head import Head
from benchd.ledger.head_file import SignedHeads

pytestmark = pytest.mark.asyncio
AT = datetime(2026, 11, 27, tzinfo=UTC)


def signed(sequence: int) -> SignedHeads:
    return SignedHeads(signed=Head(sequence=sequence, hash=b""))


async def test_records_after_the_head_are_counted_and_nothing_is_left_beside(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a ledger?.sqlite"
    async with open_ledger(path, head_key=create_key(tmp_path / "key.pem")) as ledger:
        for _ in range(3):
            await ledger.append(Entry(kind=EntryKind.DAEMON_STARTED, at=AT))
        # As after a crash: all three stand in the log alone.
        there = sorted(tmp_path.iterdir())
        assert unsigned_records(path, signed(2)) == 1
        assert unsigned_records(path, None) == 3
        assert sorted(tmp_path.iterdir()) == there
    before = {each: each.stat().st_mtime_ns for each in tmp_path.iterdir()}
    assert unsigned_records(path, signed(1)) == 2
    assert unsigned_records(path, signed(3)) == 0
    assert {each: each.stat().st_mtime_ns for each in tmp_path.iterdir()} == before


async def test_a_copy_that_would_be_too_large_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_rest, "LARGEST_COPY_BYTES", 1)
    path = tmp_path / "ledger.sqlite"
    async with open_ledger(path, head_key=create_key(tmp_path / "key.pem")) as ledger:
        await ledger.append(Entry(kind=EntryKind.DAEMON_STARTED, at=AT))
        assert unsigned_records(path, None) is None
    assert unsigned_records(path, None) == 1


async def test_what_is_no_ledger_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"no database at all, but as long as the first page of one" * 99)
    with pytest.raises(LedgerBroken):
        unsigned_records(path, None)
