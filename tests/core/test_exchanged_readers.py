"""Row 5 of the adversity list: readers of two slots exchanged, and chips that stay behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio
import pytest

from benchd.domain.chip import ChipScan
from benchd.domain.clear import ClearOutcome
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot_states import SlotState

from .fake_chips import (
    CHECK,
    CHIP,
    CLEAR,
    IN_USE,
    OTHER_CHIP,
    SILENT,
    UNUSED,
    FakeChip,
    FakeChipAccess,
    scan_of,
)
from .test_chip_kiosk import operators_return, until_cleared_by_hand
from .world import Phone, World, ended, phone_like

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

JOB_WITHIN_S = 7200.0
DRAWS = range(40)


def handset(number: int, *, switches_nfc: bool = True) -> Phone:
    return Phone(
        serial=f"SERIAL{number}",
        imei=("356938035643809", "352099001761481", "490154203237518")[number],
        android_id=f"{number}" * 16,
        switches_nfc=switches_nfc,
    )


def chip_in(phone: Phone, chip: str, **of: Any) -> FakeChip:  # noqa: ANN401
    return FakeChip(of=phone, looks=scan_of(UNUSED.verdict, chip=chip), **of)


def exchanged() -> tuple[World, Phone, Phone]:
    """Two slots, the reader of each under the handset of the other."""
    first, second = handset(0), handset(1)
    readers = {"A1": chip_in(second, OTHER_CHIP), "A2": chip_in(first, CHIP)}
    return World(2, chips=FakeChipAccess(readers)), first, second


def checks(world: World) -> list[tuple[str, Any]]:
    return [
        (str(stored.entry.slot), stored.entry.data["evidence"])
        for stored in world.ledger.of(EntryKind.STAGE_ENDED)
        if stored.entry.data["stage"] == CHECK
    ]


async def until_finished(world: World, *slots: str) -> None:
    with anyio.fail_after(JOB_WITHIN_S):
        for slot in slots:
            await world.until_state(SlotState.FINISHED, slot)


def must_name_the_exchange(world: World, slots: int = 2) -> None:
    ends = ended(world)
    assert len(ends) == slots
    assert {end["disposition"] for end in ends} == {Disposition.HOLD}
    assert {end["reason"] for end in ends} == {Reason.FELICA_INCONSISTENT}
    assert all("readers may be exchanged" in str(end["detail"]) for end in ends)


@pytest.mark.parametrize("draw", DRAWS)
async def test_row_5_exchanged_readers_in_lockstep_never_tie_the_wrong_chip(draw: int) -> None:
    world, first, second = exchanged()
    world.entropy._count = 1000 * draw
    async with world.running():
        world.ports["A1"].plug(first)
        world.ports["A2"].plug(second)
        await until_finished(world, "A1", "A2")
    assert [slot for slot, check in checks(world) if check["tied"]] == []
    assert not world.certified()
    must_name_the_exchange(world)
    assert first.nfc_on
    assert second.nfc_on


async def test_row_5_handsets_are_sold_once_their_readers_are_put_right() -> None:
    """The chip that a wrong reader saw in one job is no reason to hold for good who has it."""
    world, first, second = exchanged()
    async with world.running():
        world.ports["A1"].plug(first)
        world.ports["A2"].plug(second)
        await until_finished(world, "A1", "A2")
        must_name_the_exchange(world)
        world.parts.chips.chips |= {  # type: ignore[attr-defined]
            "A1": chip_in(first, CHIP),
            "A2": chip_in(second, OTHER_CHIP),
        }
        for slot, phone in (("A1", first), ("A2", second)):
            await world.take_out(slot)
            world.ports[slot].plug(phone)
        await until_finished(world, "A1", "A2")
    assert [end["disposition"] for end in ended(world)[2:]] == [Disposition.SELLABLE] * 2


async def test_row_5_a_slot_without_reader_is_refused_before_anything_is_destroyed() -> None:
    """Which chip it has only a reader can say of who was met with another's."""
    first, second = handset(0), handset(1)
    readers = {"A1": chip_in(second, OTHER_CHIP), "A2": chip_in(first, CHIP)}
    world = World(3, chips=FakeChipAccess(readers))
    async with world.running():
        world.ports["A1"].plug(first)
        world.ports["A2"].plug(second)
        await until_finished(world, "A1", "A2")
        must_name_the_exchange(world)
        for slot in ("A1", "A2"):
            await world.take_out(slot)
        readers["A2"] = chip_in(second, OTHER_CHIP)
        world.parts.chips.chips |= readers  # type: ignore[attr-defined]
        world.ports["A2"].plug(second)
        await until_finished(world, "A2")
        world.ports["A3"].plug(first)
        await until_finished(world, "A3")
    assert ended(world)[-1]["reason"] == Reason.READER_LOOK_STANDS
    assert not first.filled


@pytest.mark.parametrize("after_s", [1.0, 2.0, 3.5, 6.0, 9.0, 15.0, 30.0])
@pytest.mark.parametrize("draw", range(5))
async def test_row_5_exchanged_readers_one_after_the_other_are_named_too(
    draw: int, after_s: float
) -> None:
    world, first, second = exchanged()
    world.entropy._count = 1000 * draw
    async with world.running():
        world.ports["A2"].plug(second)
        await anyio.sleep(after_s)
        world.ports["A1"].plug(first)
        await until_finished(world, "A1", "A2")
    assert not world.certified()
    assert [slot for slot, check in checks(world) if check["tied"]] == []
    # The one that came while the other's NFC was off has found its reader silent.
    assert {end["reason"] for end in ended(world)} <= {
        Reason.FELICA_INCONSISTENT,
        Reason.FELICA_RETIRED,
    }
    assert any("readers may be exchanged" in str(end["detail"]) for end in ended(world))


async def test_row_5_the_reader_of_an_empty_slot_is_looked_at_too() -> None:
    """The neighbour lies there already, and isn't plugged in yet."""
    world, _, second = exchanged()
    async with world.running():
        world.ports["A2"].plug(second)
        await until_finished(world, "A2")
    must_name_the_exchange(world, slots=1)


async def test_row_5_a_neighbour_whose_nfc_can_not_be_switched_is_held_with_it() -> None:
    """It was past its check, untied, before anything could show whose chip its reader hears."""
    world, first, second = exchanged()
    first.switches_nfc = False
    async with world.running():
        world.ports["A1"].plug(first)
        await world.until_stage(StageName.OVERWRITE)
        world.ports["A2"].plug(second)
        await until_finished(world, "A1", "A2")
    must_name_the_exchange(world)
    assert not world.certified()


async def test_row_5_the_record_names_the_pattern_its_steps_and_the_slot_that_hears() -> None:
    world, first, second = exchanged()
    async with world.running():
        world.ports["A1"].plug(first)
        world.ports["A2"].plug(second)
        await until_finished(world, "A1", "A2")
    for slot, check in checks(world):
        tie = check["tie"]
        assert tie["heard_at"] == {"A1": "A2", "A2": "A1"}[slot]
        assert len(tie["pattern"]) == 7
        assert 1 <= len(tie["steps"]) <= 7


async def test_row_5_two_honest_slots_in_lockstep_are_both_tied() -> None:
    phones = handset(0), handset(1)
    readers = {"A1": chip_in(phones[0], CHIP), "A2": chip_in(phones[1], OTHER_CHIP)}
    world = World(2, chips=FakeChipAccess(readers))
    async with world.running():
        world.ports["A1"].plug(phones[0])
        world.ports["A2"].plug(phones[1])
        await until_finished(world, "A1", "A2")
    assert {end["disposition"] for end in ended(world)} == {Disposition.SELLABLE}
    assert [check["tied"] for _, check in checks(world)] == [True, True]
    patterns = [tuple(check["tie"]["pattern"]) for _, check in checks(world)]
    assert patterns[0] != patterns[1]


@pytest.mark.parametrize("draw", range(10))
async def test_row_5_a_chip_of_its_own_that_answers_on_holds_nobody(draw: int) -> None:
    """Older handsets have one beside the NFC controller; the neighbour is tied at that moment."""
    apart, other = handset(0), handset(1)
    readers = {
        "A1": FakeChip(looks=scan_of(UNUSED.verdict, chip=CHIP)),
        "A2": chip_in(other, OTHER_CHIP),
    }
    world = World(2, chips=FakeChipAccess(readers))
    world.entropy._count = 1000 * draw
    async with world.running():
        world.ports["A1"].plug(apart)
        world.ports["A2"].plug(other)
        await until_finished(world, "A1", "A2")
    assert {end["disposition"] for end in ended(world)} == {Disposition.SELLABLE}
    assert {slot: check["tied"] for slot, check in checks(world)} == {"A1": False, "A2": True}


async def test_row_5_nobody_looks_at_a_reader_while_a_chip_is_cleared() -> None:
    world, _, second = exchanged()
    chips = world.parts.chips
    assert isinstance(chips, FakeChipAccess)
    clearing = handset(2, switches_nfc=False)
    chips.chips["A1"] = FakeChip(looks=IN_USE, claims=[ClearOutcome.NEEDS_OPERATOR])
    chips.chips["A2"] = FakeChip(looks=scan_of(UNUSED.verdict, chip=OTHER_CHIP))
    world.silent_in = CLEAR
    async with world.running():
        world.ports["A1"].plug(clearing)
        await world.until_stage(CLEAR and world.view().question is not None)
        before = [scan for scan in chips.scans if scan[0] == "A1"]
        world.ports["A2"].plug(second)
        with anyio.fail_after(JOB_WITHIN_S):
            await world.until_state(SlotState.FINISHED, "A2")
        assert [scan for scan in chips.scans if scan[0] == "A1"] == before


# What stays on a reader


def by_hand(chip: FakeChip) -> World:
    """The chip is in use, and a person clears it."""
    chip.looks = IN_USE
    chip.claims = [ClearOutcome.NEEDS_OPERATOR]
    world = World(chips=FakeChipAccess({"A1": chip}))
    world.silent_in = CLEAR
    return world


async def carried_away(world: World, phone: Phone, *looks: tuple[float, ChipScan]) -> None:
    """Unplugged at the question; each look of the reader lasts so long, then it's back, cleared."""
    chips = world.parts.chips
    assert isinstance(chips, FakeChipAccess)
    chip = chips.chips["A1"]
    async with world.running():
        world.ports["A1"].plug(phone)
        await until_cleared_by_hand(world)
        world.ports["A1"].unplug()
        for for_s, seen in looks:
            chip.looks = seen
            await anyio.sleep(for_s)
        chip.looks = UNUSED
        world.ports["A1"].plug(phone)
        operators_return(world)
        await until_finished(world, "A1")


async def test_row_5_a_card_that_answers_while_the_handset_is_carried_away_is_another_s() -> None:
    phone = handset(0, switches_nfc=False)
    world = by_hand(FakeChip())
    await carried_away(world, phone, (300, IN_USE))
    [end] = ended(world)
    assert (end["disposition"], end["reason"]) == (Disposition.HOLD, Reason.FELICA_INCONSISTENT)
    assert "a card or another handset lies on the reader" in str(end["detail"])
    away = world.attempts(CLEAR)[-1]["evidence"]["away"]
    assert away["looks"] == away["answers"] >= 2
    assert not world.certified()


async def test_row_5_a_handset_that_takes_its_chip_along_is_held_for_nothing() -> None:
    phone = handset(0, switches_nfc=False)
    world = by_hand(FakeChip())
    await carried_away(world, phone, (45, IN_USE), (300, SILENT))
    assert ended(world)[0]["disposition"] == Disposition.SELLABLE, ended(world)


async def test_row_5_one_that_is_laid_down_before_it_is_plugged_in_is_held_for_nothing() -> None:
    phone = handset(0, switches_nfc=False)
    world = by_hand(FakeChip())
    await carried_away(world, phone, (45, IN_USE), (60, SILENT), (300, IN_USE))
    assert ended(world)[0]["disposition"] == Disposition.SELLABLE, ended(world)


async def test_row_5_one_whose_cable_is_out_for_a_minute_is_held_for_nothing() -> None:
    phone = handset(0, switches_nfc=False)
    world = by_hand(FakeChip())
    await carried_away(world, phone, (70, IN_USE))
    assert ended(world)[0]["disposition"] == Disposition.SELLABLE, ended(world)


async def test_row_5_a_tied_chip_is_the_handset_s_wherever_its_cable_is() -> None:
    phone = handset(0)
    chip = FakeChip(of=phone)
    world = by_hand(chip)
    await carried_away(world, phone, (300, IN_USE))
    assert ended(world)[0]["disposition"] == Disposition.SELLABLE, ended(world)


async def test_row_5_a_card_under_two_handsets_is_neither_s_though_none_tells_an_imei() -> None:
    """Asking whether the chip was seen before isn't enough: it answers under another handset."""
    first = replace(handset(0, switches_nfc=False), imei=None, screen_imei=handset(0).imei)
    other = replace(handset(1, switches_nfc=False), imei=None, telephony=False)
    world = World(chips=FakeChipAccess({"A1": FakeChip()}))
    async with world.running():
        world.ports["A1"].plug(first)
        await world.until_stage(StageName.INITIALISE)
        await world.take_out()
        world.ports["A1"].plug(other)
        await until_finished(world, "A1")
    assert ended(world)[-1]["reason"] == Reason.FELICA_INCONSISTENT
    assert "lies on the reader" in str(ended(world)[-1]["detail"])
    assert Gate.CHIP_SEEN_BEFORE not in world.asked()


async def test_row_5_a_handset_that_is_plugged_in_again_has_its_own_chip() -> None:
    phone = handset(0, switches_nfc=False)
    world = World(chips=FakeChipAccess({"A1": FakeChip()}))
    async with world.running():
        world.ports["A1"].plug(phone)
        await world.until_stage(StageName.INITIALISE)
        await world.take_out()
        world.ports["A1"].plug(phone_like(phone))
        await until_finished(world, "A1")
    assert ended(world)[-1]["outcome"] == Outcome.PASSED, ended(world)
