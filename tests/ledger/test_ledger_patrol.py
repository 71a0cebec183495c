"""The pass over the whole chain: what was changed far back is found, and not forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

import anyio
import pytest
from ledger_rack import START, FakeClock, FillLedger, Passes, RackKey, change, make_anew, make_entry

from benchd.domain.errors import LedgerFault
from benchd.domain.record import Entry, EntryKind, Receipt, StoredEntry
from benchd.ledger import SqliteLedger, open_ledger, patrol
from benchd.ledger.head import EMPTY_HEAD, Head
from benchd.ledger.patrol import EVERY, PIECE_RECORDS, Patrol
from benchd.ledger.witness import Witness

RECORDS = 250

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patrol, "PAUSE_S", 0)


async def test_a_sound_chain_is_walked_in_pieces_recorded_and_as_old_as_it_is_after_a_restart(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(RECORDS)
    heard, recalled, clock = Passes(), Passes(), FakeClock()
    async with open_ledger(path, head_key=key) as ledger:
        await Patrol(ledger, ledger.append, clock, heard).walk()
        found = await ledger.newest_of(EntryKind.LEDGER_CHECKED)
        clock.at += timedelta(hours=5)
        await Patrol(ledger, ledger.append, clock, recalled).recall()
    assert found is not None
    assert found.entry.data == {"broken_at": None, "records": RECORDS, "head": RECORDS}
    assert heard.told == recalled.told == [START]
    assert heard.shares == [PIECE_RECORDS / RECORDS, 2 * PIECE_RECORDS / RECORDS, 1.0]


@pytest.mark.parametrize("sequence", [2, 100, 101])
async def test_a_record_changed_far_back_is_found_though_the_start_was_sound(
    fill: FillLedger, key: RackKey, sequence: int
) -> None:
    """The door shuts before it is on record, and stays shut after a restart."""
    path = await fill(RECORDS)
    change(path, sequence)
    heard, recalled = Passes(), Passes()
    async with open_ledger(path, head_key=key) as ledger:

        async def record(entry: Entry) -> Receipt:
            assert len(heard.told) == 1
            return await ledger.append(entry)

        await Patrol(ledger, record, FakeClock(), heard).walk()
        # Jobs that run still have their ends recorded.
        assert (await ledger.append(make_entry(0))).sequence == RECORDS + 2
        found = await ledger.newest_of(EntryKind.LEDGER_CHECKED)
    assert found is not None
    assert found.entry.data["broken_at"] == sequence + 1
    assert len(heard.told) == 1
    assert "doesn't follow the one before it" in str(heard.told)
    async with open_ledger(path, head_key=key) as ledger:
        await Patrol(ledger, ledger.append, FakeClock(), recalled).recall()
    assert [type(told) for told in recalled.told] == [str]


class MemoryWalk(SqliteLedger):
    """A fake ledger of which only its length and its newest check matter."""

    def __init__(self) -> None:
        self.checks: list[StoredEntry] = []
        self.walks = 0

    @property
    def head(self) -> Head:
        return Head(sequence=300, hash=bytes(32))

    async def follow(self, after: Head, most: int) -> tuple[Head, int]:
        self.walks += after == EMPTY_HEAD
        return Head(sequence=after.sequence + most, hash=bytes(32)), most

    async def newest_of(self, kind: EntryKind) -> StoredEntry | None:
        return self.checks[-1] if self.checks and kind is EntryKind.LEDGER_CHECKED else None

    async def check_witness(self, witness: Witness) -> None:
        assert witness.head == self.head

    async def append(self, entry: Entry) -> Receipt:
        self.checks.append(StoredEntry(sequence=301, entry=entry, hash_hex=""))
        return Receipt(sequence=301, hash_hex="")


class LoopClock:
    """A fake clock that moves with the loop's virtual time."""

    def now(self) -> datetime:
        return START + timedelta(seconds=anyio.current_time())


@pytest.mark.looptime
async def test_it_walks_once_a_day_and_after_a_restart_only_when_due() -> None:
    ledger = MemoryWalk()
    for days in (3, 0.5, 0.4, 0.3):
        one = Patrol(ledger, ledger.append, LoopClock(), Passes())
        with anyio.move_on_after(EVERY.total_seconds() * days):
            await one.run()
    assert ledger.walks == 5


@pytest.mark.looptime
async def test_a_clock_that_was_set_back_puts_no_pass_off_however_often_it_is_started() -> None:
    ledger = MemoryWalk()
    await Patrol(ledger, ledger.append, FakeClock(at=START + 30 * EVERY), Passes()).walk()
    for hours in (10, 10):
        one = Patrol(ledger, ledger.append, LoopClock(), Passes())
        with anyio.move_on_after(3600 * hours):
            await one.run()
    assert ledger.walks == 2


async def test_a_chain_that_ends_before_its_head_is_broken() -> None:
    class Short(MemoryWalk):
        async def follow(self, after: Head, most: int) -> tuple[Head, int]:
            return Head(sequence=min(200, after.sequence + most), hash=bytes(32)), most

    ledger, heard = Short(), Passes()
    await Patrol(ledger, ledger.append, FakeClock(), heard).walk()
    assert ledger.checks[-1].entry.data["broken_at"] == 201


async def test_a_chain_that_was_made_anew_as_a_whole_is_not_the_one_that_was_written(
    fill: FillLedger, key: RackKey
) -> None:
    """It holds together, from its first record to its last."""
    path = await fill(RECORDS)
    heard = Passes()
    async with open_ledger(path, head_key=key) as ledger:
        make_anew(path, 30, close=False)
        # Nor does what the pass has found fit to it: it is told before, and nothing is added.
        with pytest.raises(LedgerFault, match="must carry the hash"):
            await Patrol(ledger, ledger.append, FakeClock(), heard).walk()
    assert len(heard.told) == 1
    assert isinstance(heard.told[0], str)
    assert "the daemon itself" in heard.told[0]
