"""What a start reads of hooks doesn't grow with the ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import apsw
import pytest
from anyio import CapacityLimiter

from benchd.daemon.hooks import HookReader
from benchd.ledger import open_ledger
from benchd.ledger.reader import LedgerReader
from benchd.words.record import Entry, EntryKind
from tests.hooks.hook_rig import START
from tests.people.people_rig import RackKey

pytestmark = pytest.mark.asyncio

Read = Callable[[HookReader], Awaitable[object]]


async def steps(path: Path, read: Read) -> int:
    """How many steps SQLite takes for one read."""
    taken: list[int] = []
    reader = LedgerReader(path)
    try:
        reader._connection.trace_v2(
            apsw.SQLITE_TRACE_PROFILE,
            lambda told: taken.append(told["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]),
        )
        await read(HookReader(reader, CapacityLimiter(1)))
    finally:
        reader.close()
    return sum(taken)


@pytest.mark.parametrize(
    "read",
    [lambda reader: reader.answers_after(0, 500), lambda reader: reader.begun("new")],
    ids=["what was answered", "where a new hook began"],
)
async def test_a_longer_ledger_is_as_quickly_asked(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "ledger.db"
    counts: list[int] = []
    async with open_ledger(path, head_key=RackKey()) as ledger:
        for data in ({"hook": "other"}, {"hook": "stock"}):
            await ledger.append(Entry(kind=EntryKind.HOOK_BEGUN, at=START, data=data))
            await ledger.append(Entry(kind=EntryKind.HOOK_ANSWERED, at=START, data=data))
        for _ in range(2):
            counts.append(await steps(path, read))
            for _ in range(30):
                await ledger.append(Entry(kind=EntryKind.JOB_OPENED, at=START, data={}))
    assert counts[0] == counts[1] > 0
