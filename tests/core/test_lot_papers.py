"""What papers settle: by the list that they named, by a right time, and until they're withdrawn."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from benchd.devices.android.adb import AdbServerLost
from benchd.domain.clear_provider import ClearClaim, ClearOrder, ClearOutcome
from benchd.domain.evidence_json import to_json
from benchd.domain.intake import AttestationKind, LotId, TimeDoubt
from benchd.domain.job import Gate, Outcome, Reason, StageName
from benchd.domain.people import ShownBy
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.pipelines.stages.initialise import InitialiseStage
from benchd.proof.attestation import named_list
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence.clock_evidence import TimeBasis
from benchd.proof.evidence.intake_evidence import AssetLine, AssetsRecord, Who
from tests.intake.lots import BY, LOT, attested, imei, lot_record

from .fake_chips import IN_USE, OTHER_CHIP, UNUSED, FakeChip
from .lot_rack import BOTH, CITED, GOOD, Data, Lie, Rack, in_intake, in_settled
from .world import FRESH, IMEI, MIB, Phone, ended, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

# Row 10: what is attested of a whole lot covers the list that it named, by count and hash.


OF_CHIP = {Gate.JPKI, Gate.CONSENT}
COLLEAGUE = replace(BY, operator="Mori", person="mori", shown_by=ShownBy.BADGE_AND_PIN)
OTHERS = "tag,IMEI\n" + "".join(f"N{number},{imei(number)}\n" for number in range(1, 25))
MINE = f"tag,IMEI\nT1,{IMEI}\n"
LATE = f"{MINE}T2,{imei(30)}\n"


def in_use() -> Rack:
    return Rack(FakeChip(looks=IN_USE))


def another_chip() -> FakeChip:
    return FakeChip(
        looks=replace(IN_USE, chip=OTHER_CHIP), after_clear=replace(UNUSED, chip=OTHER_CHIP)
    )


async def import_(rack: Rack, csv: str, by: Who = BY) -> int:
    done = await rack.desk.import_assets(LOT, csv.encode(), by=by, dry_run=False)
    assert done.taken, done.mistakes
    return done.late


def whole(rack: Rack) -> list[tuple[int, int]]:
    """How many each attestation covers, and how many came in later."""
    found = rack.store.book.lots[LotId(LOT)].attestations
    return [(each.assets, each.late) for each in found]


@pytest.mark.parametrize("by", [BY, COLLEAGUE], ids=["the same person", "a colleague"])
async def test_row_10_what_a_person_imports_after_a_whole_lot_was_attested_is_asked(
    by: Who,
) -> None:
    rack = in_use()
    await rack.lot(OTHERS)
    await rack.attest()
    assert await import_(rack, LATE, by) == 2
    await rack.looked_up()
    assert whole(rack) == [(24, 2)]
    async with rack.world.running():
        assert await rack.visit(Phone(jpki_capable=None)) == GOOD
        assert set(rack.asked()) >= OF_CHIP
        # Whoever has looked at their papers attests the lot once more: all 26 are covered then.
        await rack.desk.attest(attested(*BOTH), seen=26)
        assert whole(rack) == [(24, 2), (26, 0)]
        rack.chips.chips["A1"] = another_chip()
        assert await rack.visit(Phone(serial="T2", imei=imei(30), jpki_capable=None)) == GOOD
    assert len([gate for gate in rack.asked() if gate == Gate.JPKI]) == 1


async def test_row_10_a_lot_attested_as_it_is_taken_in_covers_the_first_list_of_that_person() -> (
    None
):
    rack = in_use()
    await rack.lot(MINE, attests=BOTH)
    assert whole(rack) == [(1, 0)]
    [record] = rack.ledger.of(EntryKind.ASSETS_ADDED)
    assert record.entry.data["named"] == to_json(named_list(["T1"]))
    assert await rack.ran(Phone(jpki_capable=None)) == GOOD
    assert OF_CHIP.isdisjoint(rack.asked())


@pytest.mark.parametrize("first", ["a colleague's list", "its second list"])
async def test_row_10_and_no_other_list(first: str) -> None:
    rack = in_use()
    await rack.desk.add_lot(lot_record(attests=BOTH))
    if first == "its second list":
        assert await import_(rack, OTHERS) == 0
        assert await import_(rack, MINE) == 1
        assert whole(rack) == [(24, 1)]
    else:
        assert await import_(rack, MINE, COLLEAGUE) == 1
        assert whole(rack) == [(0, 1)]
    assert await rack.ran(Phone(jpki_capable=None)) == GOOD
    assert set(rack.asked()) >= OF_CHIP


async def test_careless_a_lot_split_and_imported_late_neither_covers_nor_uncovers_silently() -> (
    None
):
    """Its second half comes days later, while a handset of the first is at work, or after."""
    rack = in_use()
    await rack.papers()
    async with rack.world.running():
        assert await rack.visit(Phone(jpki_capable=None)) == GOOD
        job, records, intake = await rack.proof()
        # What was cited before it came stays cited: nothing of the first half is uncovered.
        assert await import_(rack, OTHERS) == 24
        assert whole(rack) == [(1, 24)]
        _, _, now = await rack.proof()
        assert len(now) == len(intake) + 1
        verify_erasure(job, records, now)
        assert OF_CHIP.isdisjoint(rack.asked())
        # Nothing of the second half is covered, and whoever imported it was told so.
        rack.chips.chips["A1"] = another_chip()
        late = Phone(serial="LATE", imei=imei(1), jpki_capable=None)
        assert await rack.visit(late) == GOOD
        assert set(rack.asked()) >= OF_CHIP


async def test_a_list_is_the_same_in_any_order_and_another_with_any_tag_more_or_less() -> None:
    assert named_list(["T1", "T2"]) == named_list(["T2", "T1"])
    lists = ([], ["T1"], ["T2"], ["T1", "T2"], ["T1T2"], ["T1", "T2", "T3"], ['T1","T2'])
    assert len({named_list(tags).tags_sha256 for tags in lists}) == len(lists)


# The proof, whatever the book says.


def named(**changes: object) -> Lie:
    return in_intake(EntryKind.ATTESTED, lambda data: data["named"].update(changes))


def slipped_in(_records: list[StoredEntry], intake: list[StoredEntry]) -> None:
    """An import stands before the attestation that nobody had when it was made."""
    line = AssetLine(tag="T9", imei=imei(99))
    told = AssetsRecord(lot=LOT, batch="b", part=1, parts=1, again=False, assets=(line,), by=BY)
    first = intake[0]
    entry = Entry(kind=EntryKind.ASSETS_ADDED, at=first.entry.at, data=to_json(told))
    intake.insert(1, StoredEntry(sequence=first.sequence, entry=entry, hash_hex="ab" * 32))


def one_less(data: Data) -> None:
    data["assets"] = [line for line in data["assets"] if line["tag"] != "N3"]


def one_renamed(data: Data) -> None:
    data["assets"][-2]["tag"] = "N99"


LIST_LIES: dict[str, Lie] = {
    "more assets": named(assets=26),
    "another list": named(tags_sha256="ab" * 32),
    "a list that nobody saw": slipped_in,
    "an asset less": in_intake(EntryKind.ASSETS_ADDED, one_less),
    "an asset that is another": in_intake(EntryKind.ASSETS_ADDED, one_renamed),
}


@pytest.mark.parametrize("lie", LIST_LIES)
async def test_row_10_the_proof_counts_the_list_anew(lie: str) -> None:
    rack = in_use()
    await rack.lot(OTHERS + f"T1,{IMEI}\n")
    await rack.attest()
    await rack.looked_up()
    assert await rack.ran(Phone(jpki_capable=None)) == GOOD
    await rack.must_be_a_gap(LIST_LIES[lie])


def unnamed(data: Data) -> None:
    del data["named"]


@pytest.mark.parametrize("lie", [unnamed, lambda data: data.update(named=None)])
async def test_a_whole_lot_that_names_no_list_covers_nothing(lie: Callable[[Data], None]) -> None:
    rack = in_use()
    await rack.lot(MINE)
    await rack.attest()
    await rack.looked_up()
    assert await rack.ran(Phone(jpki_capable=None)) == GOOD
    await rack.must_be_a_gap(in_intake(EntryKind.ATTESTED, lie))


# Row 6: what has an age is cited by a time that is right, in the stage and in the proof.


ADMIN = replace(BY, operator="Mori", person="mori", shown_by=ShownBy.BADGE_AND_PIN)
LONG_AGO = timedelta(days=400)


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
    why = "time_unconfirmed" if slept else "clock_behind"
    assert rack.world.questions(Gate.NETWORK)[0]["facts"]["not_cited"] == why


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


TIME_LIES: dict[str, Lie] = {
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


@pytest.mark.parametrize("lie", TIME_LIES)
async def test_row_6_each_lie_about_the_time_is_a_gap(lie: str) -> None:
    rack = in_use()
    rack.source = False
    await rack.papers()
    await rack.desk.confirm_time(rack.clock.now(), by=ADMIN)
    assert await rack.ran() == GOOD
    await rack.must_be_a_gap(TIME_LIES[lie])


# What was attested at intake is asked again after every wait, and before anything is destroyed.


GUIDED = InitialiseStage(fresh_used_bytes=FRESH, method="guided")
EXPIRED_S = 600.0


@asynccontextmanager
async def held(rack: Rack, phone: Phone) -> AsyncGenerator[None]:
    """A handset of a lot of which all is attested; its job ends soon, as what isn't attested."""
    await rack.lot()
    await rack.looked_up()
    await rack.attest()
    async with rack.world.running():
        rack.world.ports["A1"].plug(phone)
        yield
        with anyio.fail_after(EXPIRED_S):
            await rack.world.until_state(SlotState.FINISHED)
    assert rack.end() == (Outcome.FAILED, Reason.JPKI_NOT_ATTESTED)


def used() -> Phone:
    return Phone(used_bytes=30 * MIB)


def started(rack: Rack, stage: StageName) -> int:
    records = rack.ledger.of(EntryKind.STAGE_STARTED)
    return sum(record.entry.data["stage"] == stage for record in records)


async def test_what_is_withdrawn_at_a_held_door_is_not_gone_by() -> None:
    rack, phone = Rack(), used()
    async with held(rack, phone):
        await rack.world.until_stage(StageName.FELICA_CHECK)
        rack.world.parts.admission.hold(ProblemCode.DISK_FULL)
        await rack.world.until_state(SlotState.WAITING)
        # Nobody waits at a door that leads nowhere.
        await rack.withdraw(AttestationKind.JPKI)
    assert not started(rack, StageName.INITIALISE)
    assert not phone.wiped


async def test_a_reset_that_is_asked_for_is_withdrawn_with_what_it_rests_on() -> None:
    rack, phone = Rack(recipe=make_recipe(initialise=GUIDED)), used()
    rack.world.silent_in = StageName.INITIALISE
    async with held(rack, phone):
        await rack.world.until_asked(Gate.GUIDED_RESET)
        await rack.withdraw(AttestationKind.JPKI)
    assert rack.world.view().question is None
    assert "withdrawn" in str(ended(rack.world)[-1]["detail"])
    assert not phone.wiped


async def test_an_attempt_after_a_lost_server_asks_again() -> None:
    rack, phone = Rack(), used()

    async def lost_once(_: Phone) -> None:
        if phone.calls["enable_test_harness"] == 1:
            await rack.withdraw(AttestationKind.JPKI)
            raise AdbServerLost("gone for a moment")

    phone.faults["enable_test_harness"] = lost_once
    async with held(rack, phone):
        pass
    assert started(rack, StageName.INITIALISE) == 1
    assert phone.calls["enable_test_harness"] == 1
    assert not phone.wiped


async def test_what_is_withdrawn_between_the_intent_and_the_act_stops_the_act() -> None:
    rack, phone = Rack(), used()

    async def meanwhile(_: Phone) -> None:
        if started(rack, StageName.INITIALISE):
            phone.faults.clear()
            await rack.withdraw(AttestationKind.JPKI)

    phone.faults["reset_facts"] = meanwhile
    async with held(rack, phone):
        pass
    assert not phone.wiped


async def test_a_sim_is_not_waited_for_before_a_reset_that_nothing_allows_any_more() -> None:
    rack, phone = Rack(), used()

    async def put_in(_: Phone) -> None:
        phone.sim = True

    phone.faults["standing"] = put_in
    async with held(rack, phone):
        await rack.world.until_stage(StageName.FINAL_RESET)
        await rack.world.until_state(SlotState.WAITING)
        await rack.withdraw(AttestationKind.JPKI)
    assert Gate.FINAL_RESET not in rack.asked()


async def test_a_chip_is_cleared_by_hand_only_as_long_as_its_owner_agrees() -> None:
    rack = Rack(FakeChip(looks=IN_USE, claims=[ClearOutcome.NEEDS_OPERATOR]))
    rack.world.silent_in = StageName.FELICA_CLEAR
    async with held(rack, used()):
        await rack.world.until_asked(Gate.FELICA_CLEAR)
        await rack.withdraw(AttestationKind.JPKI)


async def test_a_chip_is_not_cleared_again_once_nothing_allows_it_any_more() -> None:
    rack = Rack(FakeChip(looks=IN_USE, after_clear=None))
    clear = rack.chips.clear

    async def clear_and_withdraw(order: ClearOrder) -> ClearClaim:
        claim = await clear(order)
        await rack.withdraw(AttestationKind.JPKI)
        return claim

    rack.chips.clear = clear_and_withdraw  # type: ignore[method-assign]
    async with held(rack, used()):
        pass
    assert len(rack.chips.orders) == 1
