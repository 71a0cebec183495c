"""Row 6: what has an age is cited by a time that is right, in the stage and in the proof."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from benchd.domain.intake import TimeDoubt
from benchd.domain.job import Gate, StageName
from benchd.domain.people import ShownBy
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.slot_states import SlotState
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence.clock_evidence import TimeBasis
from tests.intake.lots import BY, lot_record

from .fake_chips import IN_USE, FakeChip
from .lot_rack import BOTH, CITED, GOOD, Data, Lie, Rack, in_intake, in_settled
from .world import Phone

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

ADMIN = replace(BY, operator="Mori", person="mori", shown_by=ShownBy.BADGE_AND_PIN)
LONG_AGO = timedelta(days=400)


def in_use() -> Rack:
    return Rack(FakeChip(looks=IN_USE))


async def old_lot(rack: Rack) -> None:
    """Taken in 400 days before the rest, as its times say; the clock is right then."""
    rack.clock.behind = LONG_AGO
    rack.time = rack.store.time = rack.booted("boot-0")
    await rack.lot(attests=BOTH)
    await rack.looked_up(at="2025-10-19 10:00")
    rack.clock.behind = timedelta()


@pytest.mark.parametrize("slept", [False, True])
async def test_row_6_a_400_day_old_look_up_is_not_fresh_by_a_clock_that_is_behind(
    slept: bool,
) -> None:
    """Nor where the ledger slept as long, and no source has set the clock."""
    rack = in_use()
    await old_lot(rack)
    if slept:
        rack.source = False
    else:
        # The rack was in use since: its ledger knows of today.
        await rack.desk.add_lot(lot_record("L-today"))
    rack.reboot(behind=LONG_AGO)
    doubt = TimeDoubt.TIME_UNCONFIRMED if slept else TimeDoubt.CLOCK_BEHIND
    assert rack.store.time_basis() is doubt
    assert await rack.ran() == GOOD
    assert set(rack.asked()) >= CITED
    # Whoever looks at the record sees why a person was asked.
    assert rack.world.questions(Gate.NETWORK)[0]["facts"]["not_cited"] == str(doubt)


async def test_row_6_an_administrator_confirms_the_time_and_citing_goes_on() -> None:
    rack = in_use()
    await rack.papers()
    rack.source = None
    rack.reboot()
    rack.world.silent_in = StageName.GATES
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone(jpki_capable=True))
        # The question that stands goes away: what was attested settles it now.
        await rack.world.until_state(SlotState.AWAITING_OPERATOR)
        number = await rack.desk.confirm_time(rack.clock.now(), by=ADMIN)
        await rack.world.until_asked(Gate.FINAL_RESET)
        rack.world.back_at_work()
        await rack.world.finished()
        assert CITED.isdisjoint(rack.answered())
        job, records, intake = await rack.proof()
        settled = verify_erasure(job, records, intake).intake.settled
        assert [each.time.confirmed for each in settled.values() if each.time] == [number] * 3
        # It counts for that boot alone.
        rack.reboot(boot="boot-3")
        assert rack.store.time_basis() is TimeDoubt.TIME_UNCONFIRMED
        assert await rack.visit(Phone(jpki_capable=True)) == GOOD
    # Its chip has been cleared meanwhile: there is nothing left that could be lost.
    assert set(rack.answered()) >= {Gate.NETWORK, Gate.JPKI}


@pytest.mark.parametrize("source", [True, False])
async def test_where_a_source_or_somebody_before_the_lot_keeps_the_time_nobody_is_asked_anything(
    source: bool,
) -> None:
    rack = in_use()
    rack.source = source
    if not source:
        # The proof reads what comes before the lot, too.
        await rack.desk.confirm_time(rack.clock.now(), by=ADMIN)
    await rack.papers()
    assert await rack.ran() == GOOD
    assert CITED.isdisjoint(rack.asked())
    # A source that fails later leaves a clock that was right.
    rack.source = False
    assert isinstance(rack.store.time_basis(), TimeBasis)


# The proof, whatever a stage says.


def told(**changes: object) -> Lie:
    def change(each: Data) -> None:
        if each["cited"]:
            each["time"] = each["time"] and {**each["time"], **changes} if changes else None

    return in_settled(change)


def confirmation(**changes: object) -> Lie:
    return in_intake(EntryKind.TIME_CONFIRMED, lambda data: data.update(changes))


def unconfirmed(_records: list[StoredEntry], intake: list[StoredEntry]) -> None:
    intake[:] = [r for r in intake if r.entry.kind is not EntryKind.TIME_CONFIRMED]


def later_before(records: list[StoredEntry], _intake: list[StoredEntry]) -> None:
    """An earlier record of the job bears a later time: the clock was set back since."""
    at = records[0].entry.at + timedelta(days=1)
    records[0] = replace(records[0], entry=replace(records[0].entry, at=at))


def later_at_intake(_records: list[StoredEntry], intake: list[StoredEntry]) -> None:
    at = intake[0].entry.at + timedelta(days=1)
    intake[0] = replace(intake[0], entry=replace(intake[0].entry, at=at))


def stepped(_records: list[StoredEntry], intake: list[StoredEntry]) -> None:
    step = {"set_back_s": 86_400.0, "noticed": "at_start"}
    entry = replace(intake[0].entry, kind=EntryKind.CLOCK_STEPPED, data=step)
    intake.insert(0, replace(intake[0], entry=entry))


LIES: dict[str, Lie] = {
    "no time": told(),
    "a ledger that knew better": told(newest="2026-12-24T00:00:00+00:00"),
    "an earlier time": told(at="2025-10-20T00:00:00+00:00"),
    "before its stage": told(after=1),
    "after its stage": told(after=9_999),
    "another boot": told(boot="boot-9"),
    "another confirmation": told(confirmed=1),
    "nobody confirmed it": unconfirmed,
    "it was confirmed in another boot": confirmation(boot="boot-9"),
    "another time was seen": confirmation(seen_at="2026-11-24T00:10:00+00:00"),
    "a badge alone confirmed it": confirmation(
        by={"operator": "Mori", "person": "mori", "shown_by": "badge", "via": {}}
    ),
    "a record of the job is later": later_before,
    "a record of intake is later": later_at_intake,
    "the clock was set back": stepped,
}


@pytest.mark.parametrize("lie", LIES)
async def test_row_6_each_lie_about_the_time_is_a_gap(lie: str) -> None:
    rack = in_use()
    rack.source = False
    await rack.papers()
    await rack.desk.confirm_time(rack.clock.now(), by=ADMIN)
    assert await rack.ran() == GOOD
    await rack.must_be_a_gap(LIES[lie])
