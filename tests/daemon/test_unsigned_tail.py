"""Records after the signed head: what a crash leaves is signed by the next start, more is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.config import Settings
from benchd.daemon.restore_break import record_restored
from benchd.domain.errors import LedgerBroken
from benchd.domain.record import EntryKind
from benchd.ledger import open_ledger, verify_ledger
from tests.cli.test_ledger_verify import append_unsigned
from tests.daemon.rotated_rack import JOBS, files_of, key_of, make_rack, rotated, sell

pytestmark = pytest.mark.asyncio


@pytest.fixture
def rack(tmp_path: Path) -> Settings:
    return make_rack(tmp_path)


async def start(rack: Settings) -> int:
    key = key_of(rack)
    async with open_ledger(rack.ledger.path, head_key=key, ring=key.ring) as ledger:
        return ledger.head.sequence


def signed_up_to(rack: Settings) -> int:
    return verify_ledger(rack.ledger.path, key_of(rack).public_key_pem).signed_records


async def test_the_one_record_that_a_crash_leaves_is_signed_by_the_next_start(
    rack: Settings,
) -> None:
    await sell(rack, JOBS[0])
    signed = signed_up_to(rack)
    append_unsigned(rack.ledger.path, 1)
    assert await start(rack) == signed_up_to(rack) == signed + 1


@pytest.mark.parametrize("count", [2, 30])
async def test_neither_a_start_nor_a_rotation_signs_what_no_crash_leaves(
    rack: Settings, count: int
) -> None:
    await sell(rack, JOBS[0])
    signed = signed_up_to(rack)
    append_unsigned(rack.ledger.path, count)
    says = f"up to record {signed}, and {count} records follow"
    with pytest.raises(LedgerBroken, match=says) as found:
        await start(rack)
    assert found.value.sequence == signed + 1
    assert "benchd ledger restored --unsigned" in found.value.cure
    with pytest.raises(LedgerBroken, match=says):
        await rotated(rack)
    assert not files_of(rack).next_ring.exists()
    assert signed_up_to(rack) == signed


async def test_a_person_who_vouches_for_them_does_so_on_record(rack: Settings) -> None:
    await sell(rack, JOBS[0])
    signed = signed_up_to(rack)
    append_unsigned(rack.ledger.path, 2)
    with pytest.raises(LedgerBroken, match="--unsigned"):
        await record_restored(rack, operator="佐藤", because="an old .head was put back")
    assert signed_up_to(rack) == signed
    receipt = await record_restored(
        rack, operator="佐藤", because="an old .head was put back", unsigned=True
    )
    assert await start(rack) == receipt.sequence
    async with open_ledger(rack.ledger.path, head_key=key_of(rack)) as ledger:
        told = await ledger.newest_of(EntryKind.LEDGER_RESTORED)
    assert told is not None
    assert told.entry.data["signed_sequence"] == signed
    assert told.entry.data["kept_sequence"] == signed + 2
