"""A rack's key and its ledger: one that is open, and ones that were closed in good order."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from ledger_rack import FillLedger, RackKey, make_entry

from benchd.domain.evidence_json import FORM
from benchd.ledger import SqliteLedger, open_ledger


@pytest.fixture
def key() -> RackKey:
    return RackKey()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest_asyncio.fixture
async def ledger(path: Path, key: RackKey) -> AsyncGenerator[SqliteLedger]:
    async with open_ledger(path, head_key=key) as opened:
        yield opened


@pytest.fixture
def fill(path: Path, key: RackKey) -> FillLedger:
    """Make a ledger with that many more records and close it in good order."""

    async def run(count: int) -> Path:
        async with open_ledger(path, head_key=key) as ledger:
            for number in range(count):
                data = {"form": FORM, "dump": "鷗" * 5000} if number == count // 2 else None
                await ledger.append(make_entry(number, data))
        return path

    return run
