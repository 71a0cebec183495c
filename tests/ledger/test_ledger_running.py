"""What is read back of a running job is what was written of it, whatever the file says."""

from __future__ import annotations

import pytest
from ledger_rack import FillLedger, RackKey, forge, make_entry
from test_ledger_patrol import change

from benchd.domain.errors import LedgerBroken
from benchd.domain.ids import JobId
from benchd.ledger import open_ledger

RUNNING = JobId("job-1")

pytestmark = pytest.mark.asyncio


async def test_a_running_jobs_record_rewritten_with_its_own_hash_is_found_as_it_is_read(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(10)
    async with open_ledger(path, head_key=key) as ledger:
        for number in range(10, 16):
            await ledger.append(make_entry(number))
        assert len(await ledger.entries(RUNNING)) == 6
        change(path, 14, close=False)
        with pytest.raises(LedgerBroken, match="as it was written") as found:
            await ledger.entries(RUNNING)
        assert found.value.sequence == 14


async def test_a_record_of_a_running_job_that_was_taken_away_is_missed(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(10)
    async with open_ledger(path, head_key=key) as ledger:
        for number in range(10, 16):
            await ledger.append(make_entry(number))
        forge(path, "UPDATE record SET job = 'other' WHERE sequence = 12", close=False)
        with pytest.raises(LedgerBroken, match="as it was written"):
            await ledger.entries(RUNNING)


async def test_what_has_ended_is_read_as_it_stands(fill: FillLedger, key: RackKey) -> None:
    path = await fill(10)
    async with open_ledger(path, head_key=key) as ledger:
        for number in range(10, 21):
            await ledger.append(make_entry(number))
        change(path, 14, close=False)
        # Its certificate, if it has one, is signed for the records as they were.
        assert len(await ledger.entries(RUNNING)) == 10
