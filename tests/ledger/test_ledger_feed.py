"""What a start reads of one kind of record doesn't grow with the ledger."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest
from anyio import CapacityLimiter
from ledger_rack import START, RackKey

from benchd.domain.record import Entry, EntryKind
from benchd.ledger import open_ledger
from benchd.ledger.follower import LedgerFeed
from benchd.ledger.reader import LedgerReader

pytestmark = pytest.mark.asyncio


async def steps(path: Path, kind: EntryKind) -> int:
    """How many steps SQLite takes for one read."""
    taken: list[int] = []
    reader = LedgerReader(path)
    try:
        reader._connection.trace_v2(
            apsw.SQLITE_TRACE_PROFILE,
            lambda told: taken.append(told["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]),
        )
        assert await LedgerFeed(reader, CapacityLimiter(1)).of_kind(kind, 0, 500)
    finally:
        reader.close()
    return sum(taken)


@pytest.mark.parametrize(
    "kind",
    ["hook_answered", "hook_begun", "person_changed", "token_changed", "clock_stepped"],
)
async def test_a_longer_ledger_is_as_quickly_asked(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "ledger.db"
    counts: list[int] = []
    async with open_ledger(path, head_key=RackKey()) as ledger:
        for _ in range(2):
            await ledger.append(Entry(kind=EntryKind(kind), at=START, data={}))
        for _ in range(2):
            counts.append(await steps(path, EntryKind(kind)))
            for _ in range(30):
                await ledger.append(Entry(kind=EntryKind.JOB_OPENED, at=START, data={}))
    assert counts[0] == counts[1] > 0
