"""A rack's key and ledgers that were closed in good order."""

from __future__ import annotations

from pathlib import Path

import pytest
from ledger_rack import FillLedger, RackKey, make_entry

from benchd.domain.evidence_json import FORM
from benchd.ledger import open_ledger


@pytest.fixture
def key() -> RackKey:
    return RackKey()


@pytest.fixture
def fill(tmp_path: Path, key: RackKey) -> FillLedger:
    """Make a ledger with that many more records and close it in good order."""

    async def run(count: int) -> Path:
        path = tmp_path / "ledger.db"
        async with open_ledger(path, head_key=key) as ledger:
            for number in range(count):
                data = {"form": FORM, "dump": "鷗" * 5000} if number == count // 2 else None
                await ledger.append(make_entry(number, data))
        return path

    return run
