"""The pass over the whole chain: what was changed far back is found, and not forgotten."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import pytest
from ledger_rack import START, FillLedger, RackKey, forge, make_entry

from benchd.domain.errors import LedgerFault
from benchd.domain.record import Entry, EntryKind, Receipt, StoredEntry
from benchd.ledger import SqliteLedger, export_lines, open_ledger, patrol
from benchd.ledger.head import EMPTY_HEAD, Head
from benchd.ledger.patrol import EVERY, PIECE_RECORDS, Patrol
from benchd.ledger.witness import Witness

RECORDS = 250


@dataclass
class Heard:
    """A fake of what the daemon does about it."""

    shares: list[float] = field(default_factory=list)
    told: list[object] = field(default_factory=list)

    def walked(self, share: float) -> None:
        self.shares.append(share)

    def sound(self, at: datetime) -> None:
        self.told.append(at)

    def broken(self, detail: str) -> None:
        self.told.append(detail)

    def diverged(self) -> None:
        self.told.append("outrun")


@dataclass
class FakeClock:
    at: datetime = START

    def now(self) -> datetime:
        return self.at


def change(path: Path, sequence: int, *, close: bool = True) -> None:
    """Rewrite an old record together with its own hash, as somebody without the key can."""
    lines = list(export_lines(path))
    previous, body = lines[sequence - 2][9:73].decode(), lines[sequence - 1][82:-2]
    changed = body.replace(b"4096", b"4097") if b"4096" in body else body.replace(b"0.9", b"0.8")
    assert changed != body
    digest = hashlib.sha256(bytes.fromhex(previous) + changed).hexdigest()
    forge(
        path,
        f"UPDATE record SET body = x'{changed.hex()}', hash = x'{digest}'"  # noqa: S608
        f" WHERE sequence = {sequence}",
        close=close,
    )


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patrol, "PAUSE_S", 0)


async def pass_of(ledger: SqliteLedger, heard: Heard, clock: FakeClock) -> Patrol:
    one = Patrol(ledger, ledger.append, clock, heard)
    await one.walk()
    return one


@pytest.mark.asyncio
async def test_a_sound_chain_is_walked_in_pieces_and_recorded(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(RECORDS)
    heard = Heard()
    async with open_ledger(path, head_key=key) as ledger:
        await pass_of(ledger, heard, FakeClock())
        found = await ledger.newest_of(EntryKind.LEDGER_CHECKED)
    assert found is not None
    assert found.entry.data == {"broken_at": None, "records": RECORDS, "head": RECORDS}
    assert heard.told == [START]
    assert heard.shares == [PIECE_RECORDS / RECORDS, 2 * PIECE_RECORDS / RECORDS, 1.0]


@pytest.mark.asyncio
@pytest.mark.parametrize("sequence", [2, 100, 101])
async def test_a_record_changed_far_back_is_found_though_the_start_was_sound(
    fill: FillLedger, key: RackKey, sequence: int
) -> None:
    path = await fill(RECORDS)
    change(path, sequence)
    heard = Heard()
    async with open_ledger(path, head_key=key) as ledger:
        await pass_of(ledger, heard, FakeClock())
        # Jobs that run still have their ends recorded.
        assert (await ledger.append(make_entry(0))).sequence == RECORDS + 2
        found = await ledger.newest_of(EntryKind.LEDGER_CHECKED)
    assert found is not None
    assert found.entry.data["broken_at"] == sequence + 1
    assert "doesn't follow the one before it" in str(heard.told)


@pytest.mark.asyncio
async def test_a_break_is_not_forgotten_by_a_restart_until_a_pass_is_sound(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(RECORDS)
    change(path, 7)
    async with open_ledger(path, head_key=key) as ledger:
        await pass_of(ledger, Heard(), FakeClock())
    heard = Heard()
    async with open_ledger(path, head_key=key) as ledger:
        again = Patrol(ledger, ledger.append, FakeClock(), heard)
        await again.recall()
    assert [type(told) for told in heard.told] == [str]


@pytest.mark.asyncio
async def test_a_break_shuts_the_door_before_it_is_on_record(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(RECORDS)
    change(path, 7)
    heard = Heard()
    async with open_ledger(path, head_key=key) as ledger:

        async def record(entry: Entry) -> Receipt:
            assert len(heard.told) == 1
            return await ledger.append(entry)

        await Patrol(ledger, record, FakeClock(), heard).walk()
    assert len(heard.told) == 1


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


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_it_walks_once_a_day_and_after_a_restart_only_when_due() -> None:
    ledger = MemoryWalk()
    for days in (3, 0.5, 0.4, 0.3):
        one = Patrol(ledger, ledger.append, LoopClock(), Heard())
        with anyio.move_on_after(EVERY.total_seconds() * days):
            await one.run()
    assert ledger.walks == 5


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_clock_that_was_set_back_puts_no_pass_off_however_often_it_is_started() -> None:
    ledger = MemoryWalk()
    await Patrol(ledger, ledger.append, FakeClock(at=START + 30 * EVERY), Heard()).walk()
    for hours in (10, 10):
        one = Patrol(ledger, ledger.append, LoopClock(), Heard())
        with anyio.move_on_after(3600 * hours):
            await one.run()
    assert ledger.walks == 2


@pytest.mark.asyncio
async def test_a_chain_that_ends_before_its_head_is_broken() -> None:
    class Short(MemoryWalk):
        async def follow(self, after: Head, most: int) -> tuple[Head, int]:
            return Head(sequence=min(200, after.sequence + most), hash=bytes(32)), most

    ledger, heard = Short(), Heard()
    await Patrol(ledger, ledger.append, FakeClock(), heard).walk()
    assert ledger.checks[-1].entry.data["broken_at"] == 201


@pytest.mark.asyncio
async def test_a_chain_that_was_made_anew_as_a_whole_is_not_the_one_that_was_written(
    fill: FillLedger, key: RackKey
) -> None:
    """It holds together, from its first record to its last."""
    path = await fill(RECORDS)
    heard = Heard()
    async with open_ledger(path, head_key=key) as ledger:
        statements: list[str] = []
        previous = bytes(32)
        for sequence, line in enumerate(export_lines(path), 1):
            body = line[82:-2]
            body = body.replace(b"0.9375", b"0.9999") if sequence == 30 else body
            digest = hashlib.sha256(previous + body).digest()
            statements.append(
                f"UPDATE record SET previous = x'{previous.hex()}', hash = x'{digest.hex()}',"  # noqa: S608
                f" body = x'{body.hex()}' WHERE sequence = {sequence}"
            )
            previous = digest
        forge(path, *statements, close=False)
        # Nor does what the pass has found fit to it: it is told before, and nothing is added.
        with pytest.raises(LedgerFault, match="must carry the hash"):
            await pass_of(ledger, heard, FakeClock())
    assert len(heard.told) == 1
    assert isinstance(heard.told[0], str)
    assert "the daemon itself" in heard.told[0]


@pytest.mark.asyncio
async def test_after_a_restart_a_pass_is_as_old_as_it_is(fill: FillLedger, key: RackKey) -> None:
    path = await fill(3)
    heard, clock = Heard(), FakeClock()
    async with open_ledger(path, head_key=key) as ledger:
        await pass_of(ledger, Heard(), clock)
        clock.at += timedelta(hours=5)
        await Patrol(ledger, ledger.append, clock, heard).recall()
    assert heard.told == [START]
