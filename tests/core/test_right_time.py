"""Row 6: what has an age is cited by a time that is right, in the stage and in the proof."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from benchd.domain.errors import CertificateGap
from benchd.domain.intake import AttestationKind, TimeDoubt
from benchd.domain.job import Gate, Outcome, StageName
from benchd.domain.people import ShownBy
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.slot_states import SlotState
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence.clock_evidence import TimeBasis
from tests.intake.lots import BY, lot_record

from .fake_chips import IN_USE, FakeChip
from .lot_rack import Rack
from .world import Phone

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

BOTH = (AttestationKind.CONSENT, AttestationKind.JPKI)
CITED = {Gate.NETWORK, Gate.JPKI, Gate.CONSENT}
GOOD = (Outcome.PASSED, None)
ADMIN = replace(BY, operator="Mori", person="mori", shown_by=ShownBy.BADGE_AND_PIN)
LONG_AGO = timedelta(days=400)


async def old_lot(rack: Rack) -> None:
    """Taken in 400 days before the rest, as its times say; the clock is right then."""
    rack.clock.behind = LONG_AGO
    rack.time = rack.store.time = rack.booted("boot-0")
    await rack.lot(attests=BOTH)
    await rack.looked_up(at="2025-10-19 10:00")
    rack.clock.behind = timedelta()


async def test_row_6_a_400_day_old_look_up_is_not_fresh_by_a_clock_that_is_behind() -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    await old_lot(rack)
    # The rack was in use since: its ledger knows of today.
    await rack.desk.add_lot(lot_record("L-today"))
    rack.reboot(behind=LONG_AGO)
    assert rack.store.time_basis() is TimeDoubt.CLOCK_BEHIND
    assert await rack.ran() == GOOD
    assert set(rack.asked()) >= CITED
    # Whoever looks at the record sees why a person was asked.
    facts = [s.entry.data["facts"] for s in rack.ledger.of(EntryKind.QUESTION_ASKED)]
    assert facts[0]["not_cited"] == "clock_behind"  # type: ignore[index, call-overload]


async def test_row_6_nor_where_the_ledger_slept_as_long_and_no_source_has_set_the_clock() -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    await old_lot(rack)
    rack.source = False
    rack.reboot(behind=LONG_AGO)
    assert rack.store.time_basis() is TimeDoubt.TIME_UNCONFIRMED
    assert await rack.ran() == GOOD
    assert set(rack.asked()) >= CITED


async def test_row_6_an_administrator_confirms_the_time_and_citing_goes_on() -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    await rack.lot(attests=BOTH)
    await rack.looked_up()
    rack.source = None
    rack.reboot()
    rack.world.silent_in = StageName.GATES
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone(jpki_capable=True))
        # The question that stands goes away: what was attested settles it now.
        await rack.world.until_state(SlotState.AWAITING_OPERATOR)
        number = await rack.desk.confirm_time(rack.clock.now(), by=ADMIN)
        await rack.world.until(lambda: Gate.FINAL_RESET in rack.asked())
        rack.world.silent_in = None
        rack.world.board._wake()
        await rack.world.until_state(SlotState.FINISHED)
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


async def test_a_confirmation_from_before_the_lot_is_read_by_the_proof_too() -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    rack.source = False
    await rack.desk.confirm_time(rack.clock.now(), by=ADMIN)
    await rack.lot(attests=BOTH)
    await rack.looked_up()
    assert await rack.ran() == GOOD
    assert CITED.isdisjoint(rack.asked())


async def test_where_a_source_keeps_the_time_nobody_is_asked_anything() -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    await rack.lot(attests=BOTH)
    await rack.looked_up()
    assert await rack.ran() == GOOD
    assert CITED.isdisjoint(rack.asked())
    # A source that fails later leaves a clock that was right.
    rack.source = False
    assert isinstance(rack.store.time_basis(), TimeBasis)


# The proof, whatever a stage says.

Lie = Callable[[list[StoredEntry], list[StoredEntry]], None]


def told(**changes: object) -> Lie:
    def lie(records: list[StoredEntry], _intake: list[StoredEntry]) -> None:
        for index, record in enumerate(records):
            data: dict[str, Any] = json.loads(json.dumps(dict(record.entry.data)))
            evidence = data.get("evidence") if record.entry.kind is EntryKind.STAGE_ENDED else None
            settled = (evidence or {}).get("settled") or []
            for each in settled if isinstance(settled, list) else [settled]:
                if each["cited"]:
                    each["time"] = each["time"] and {**each["time"], **changes} if changes else None
            records[index] = replace(record, entry=replace(record.entry, data=data))

    return lie


def confirmation(**changes: object) -> Lie:
    def lie(_records: list[StoredEntry], intake: list[StoredEntry]) -> None:
        for index, record in enumerate(intake):
            if record.entry.kind is EntryKind.TIME_CONFIRMED:
                data = {**record.entry.data, **changes}
                intake[index] = replace(record, entry=replace(record.entry, data=data))  # type: ignore[arg-type]

    return lie


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
    rack = Rack(FakeChip(looks=IN_USE))
    rack.source = False
    await rack.lot(attests=BOTH)
    await rack.looked_up()
    await rack.desk.confirm_time(rack.clock.now(), by=ADMIN)
    assert await rack.ran() == GOOD
    job, records, intake = await rack.proof()
    mine, theirs = list(records), list(intake)
    verify_erasure(job, mine, theirs)
    LIES[lie](mine, theirs)
    assert (mine, theirs) != (records, intake)
    with pytest.raises(CertificateGap):
        verify_erasure(job, mine, theirs)
