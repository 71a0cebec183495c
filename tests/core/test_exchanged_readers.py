"""Row 5 of the adversity list: readers of two slots exchanged, and chips that stay behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio
import pytest

from benchd.domain.chip import ChipScan
from benchd.domain.clear_provider import ClearOutcome
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind

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
from .world import IMEI, OTHER_IMEI, UNTOLD_IMEI, Phone, World, ended, phone_like

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

JOB_WITHIN_S = 7200.0
SELLABLE = {Disposition.SELLABLE}


def handset(number: int, *, switches_nfc: bool = True) -> Phone:
    return Phone(
        serial=f"SERIAL{number}",
        imei=(IMEI, UNTOLD_IMEI, OTHER_IMEI)[number],
        android_id=f"{number}" * 16,
        switches_nfc=switches_nfc,
    )


def chip_in(phone: Phone, chip: str) -> FakeChip:
    return FakeChip(of=phone, looks=scan_of(UNUSED.verdict, chip=chip))


class TwoSlots:
    """Two handsets, and the reader of each under its own handset or under the other's."""

    def __init__(self, *, exchanged: bool, slots: int = 2, draw: int = 0) -> None:
        self.first, self.second = handset(0), handset(1)
        own = {"A1": chip_in(self.first, CHIP), "A2": chip_in(self.second, OTHER_CHIP)}
        self.put_right = own
        readers = {"A1": own["A2"], "A2": own["A1"]} if exchanged else dict(own)
        self.chips = FakeChipAccess(readers)
        self.world = World(slots, chips=self.chips)
        self.world.entropy._count = 1000 * draw
        self.world.within_s = JOB_WITHIN_S

    async def both_end(self, *, after_s: float = 0) -> None:
        self.world.ports["A2"].plug(self.second)
        if after_s:
            await anyio.sleep(after_s)
        self.world.ports["A1"].plug(self.first)
        for slot in ("A1", "A2"):
            await self.world.finished(slot)

    def checks(self) -> list[tuple[str, Any]]:
        return [
            (str(stored.entry.slot), stored.entry.data["evidence"])
            for stored in self.world.ledger.of(EntryKind.STAGE_ENDED)
            if stored.entry.data["stage"] == CHECK
        ]

    def tied(self) -> dict[str, bool]:
        return {slot: check["tied"] for slot, check in self.checks()}

    def dispositions(self) -> set[object]:
        return {end["disposition"] for end in ended(self.world)}

    def must_name_the_exchange(self, slots: int = 2) -> None:
        ends = ended(self.world)
        assert len(ends) == slots
        assert self.dispositions() == {Disposition.HOLD}
        assert {end["reason"] for end in ends} == {Reason.FELICA_INCONSISTENT}
        assert all("readers may be exchanged" in str(end["detail"]) for end in ends)
        assert not self.world.certified()


@pytest.mark.parametrize("draw", range(40))
async def test_row_5_exchanged_readers_in_lockstep_never_tie_the_wrong_chip(draw: int) -> None:
    two = TwoSlots(exchanged=True, draw=draw)
    async with two.world.running():
        await two.both_end()
    two.must_name_the_exchange()
    assert two.tied() == {"A1": False, "A2": False}
    assert two.first.nfc_on
    assert two.second.nfc_on
    # The record names the pattern, its steps and the slot that hears.
    for slot, check in two.checks():
        tie = check["tie"]
        assert tie["heard_at"] == {"A1": "A2", "A2": "A1"}[slot]
        assert len(tie["pattern"]) == 7
        assert 1 <= len(tie["steps"]) <= 7


async def test_row_5_handsets_are_sold_once_their_readers_are_put_right() -> None:
    """The chip that a wrong reader saw in one job is no reason to hold for good who has it."""
    two = TwoSlots(exchanged=True)
    async with two.world.running():
        await two.both_end()
        two.must_name_the_exchange()
        two.chips.chips |= two.put_right
        for slot in ("A1", "A2"):
            await two.world.take_out(slot)
        await two.both_end()
    assert [end["disposition"] for end in ended(two.world)[2:]] == [Disposition.SELLABLE] * 2


async def test_row_5_a_slot_without_reader_is_refused_before_anything_is_destroyed() -> None:
    """Which chip it has only a reader can say of who was met with another's."""
    two = TwoSlots(exchanged=True, slots=3)
    async with two.world.running():
        await two.both_end()
        two.must_name_the_exchange()
        await two.world.take_out()
        two.chips.chips |= {"A2": two.put_right["A2"]}
        await two.world.ran(two.second, "A2")
        await two.world.ran(two.first, "A3")
    assert ended(two.world)[-1]["reason"] == Reason.READER_LOOK_STANDS
    assert not two.first.filled


@pytest.mark.parametrize("after_s", [1.0, 2.0, 3.5, 6.0, 9.0, 15.0, 30.0])
@pytest.mark.parametrize("draw", range(5))
async def test_row_5_exchanged_readers_one_after_the_other_are_named_too(
    draw: int, after_s: float
) -> None:
    two = TwoSlots(exchanged=True, draw=draw)
    async with two.world.running():
        await two.both_end(after_s=after_s)
    assert not two.world.certified()
    assert not any(two.tied().values())
    # The one that came while the other's NFC was off has found its reader silent.
    assert {end["reason"] for end in ended(two.world)} <= {
        Reason.FELICA_INCONSISTENT,
        Reason.FELICA_RETIRED,
    }
    assert any("readers may be exchanged" in str(end["detail"]) for end in ended(two.world))


async def test_row_5_the_reader_of_an_empty_slot_is_looked_at_too() -> None:
    """The neighbour lies there already, and isn't plugged in yet."""
    two = TwoSlots(exchanged=True)
    async with two.world.running():
        await two.world.ran(two.second, "A2")
    two.must_name_the_exchange(slots=1)


async def test_row_5_a_neighbour_whose_nfc_can_not_be_switched_is_held_with_it() -> None:
    """It was past its check, untied, before anything could show whose chip its reader hears."""
    two = TwoSlots(exchanged=True)
    two.first.switches_nfc = False
    async with two.world.running():
        two.world.ports["A1"].plug(two.first)
        await two.world.until_stage(StageName.OVERWRITE)
        await two.world.ran(two.second, "A2")
        await two.world.finished("A1")
    two.must_name_the_exchange()


async def test_row_5_two_honest_slots_in_lockstep_are_both_tied() -> None:
    two = TwoSlots(exchanged=False)
    async with two.world.running():
        await two.both_end()
    assert two.dispositions() == SELLABLE
    assert two.tied() == {"A1": True, "A2": True}
    patterns = [tuple(check["tie"]["pattern"]) for _, check in two.checks()]
    assert patterns[0] != patterns[1]


@pytest.mark.parametrize("draw", range(10))
async def test_row_5_a_chip_of_its_own_that_answers_on_holds_nobody(draw: int) -> None:
    """Older handsets have one beside the NFC controller; the neighbour is tied at that moment."""
    two = TwoSlots(exchanged=False, draw=draw)
    two.chips.chips["A1"].of = None
    async with two.world.running():
        await two.both_end()
    assert two.dispositions() == SELLABLE
    assert two.tied() == {"A1": False, "A2": True}


async def test_row_5_nobody_looks_at_a_reader_while_a_chip_is_cleared() -> None:
    two = TwoSlots(exchanged=True)
    world, chips = two.world, two.chips
    chips.chips["A1"] = FakeChip(looks=IN_USE, claims=[ClearOutcome.NEEDS_OPERATOR])
    chips.chips["A2"] = FakeChip(looks=scan_of(UNUSED.verdict, chip=OTHER_CHIP))
    world.silent_in = CLEAR
    async with world.running():
        world.ports["A1"].plug(handset(2, switches_nfc=False))
        await world.until_question(Gate.FELICA_CLEAR)
        before = [scan for scan in chips.scans if scan[0] == "A1"]
        await world.ran(two.second, "A2")
        assert [scan for scan in chips.scans if scan[0] == "A1"] == before


# What stays on a reader


async def carried_away(world: World, phone: Phone, looks: list[tuple[float, ChipScan]]) -> None:
    """Unplugged at the question; each look of the reader lasts so long, then it's back, cleared."""
    chips = world.parts.chips
    assert isinstance(chips, FakeChipAccess)
    chip = chips.chips["A1"]
    async with world.running():
        world.ports["A1"].plug(phone)
        await world.until_question(Gate.FELICA_CLEAR)
        world.ports["A1"].unplug()
        for for_s, seen in looks:
            chip.looks = seen
            await anyio.sleep(for_s)
        chip.looks = UNUSED
        world.ports["A1"].plug(phone)
        world.back_at_work()
        with anyio.fail_after(JOB_WITHIN_S):
            await world.finished()


CARRIED: dict[str, tuple[bool, list[tuple[float, ChipScan]]]] = {
    "a card that answers on is another's": (False, [(300, IN_USE)]),
    "it takes its chip along": (False, [(45, IN_USE), (300, SILENT)]),
    "laid down before it is plugged in": (False, [(45, IN_USE), (60, SILENT), (300, IN_USE)]),
    "its cable is out for a minute": (False, [(70, IN_USE)]),
    "a tied chip is its own wherever its cable is": (True, [(300, IN_USE)]),
}


@pytest.mark.parametrize("case", CARRIED)
async def test_row_5_a_card_that_answers_while_the_handset_is_carried_away_is_another_s(
    case: str,
) -> None:
    tied, looks = CARRIED[case]
    phone = handset(0, switches_nfc=tied)
    chip = FakeChip(looks=IN_USE, claims=[ClearOutcome.NEEDS_OPERATOR], of=phone if tied else None)
    world = World(chips=FakeChipAccess({"A1": chip}))
    world.silent_in = CLEAR
    await carried_away(world, phone, looks)
    [end] = ended(world)
    if case != "a card that answers on is another's":
        assert end["disposition"] == Disposition.SELLABLE, end
        return
    assert (end["disposition"], end["reason"]) == (Disposition.HOLD, Reason.FELICA_INCONSISTENT)
    assert "a card or another handset lies on the reader" in str(end["detail"])
    away = world.evidence(CLEAR)["away"]
    assert away["looks"] == away["answers"] >= 2
    assert not world.certified()


@pytest.mark.parametrize("same", [False, True])
async def test_row_5_a_card_under_two_handsets_is_neither_s_though_none_tells_an_imei(
    same: bool,
) -> None:
    """Asking whether the chip was seen before isn't enough: it answers under another handset."""
    first = handset(0, switches_nfc=False)
    if not same:
        first = replace(first, imei=None, screen_imei=IMEI)
    other = replace(handset(1, switches_nfc=False), imei=None, telephony=False)
    world = World(chips=FakeChipAccess({"A1": FakeChip()}))
    world.within_s = JOB_WITHIN_S
    async with world.running():
        world.ports["A1"].plug(first)
        await world.until_stage(StageName.INITIALISE)
        await world.ran(phone_like(first) if same else other)
    end = ended(world)[-1]
    if same:
        assert end["outcome"] == Outcome.PASSED, end
        return
    assert end["reason"] == Reason.FELICA_INCONSISTENT
    assert "lies on the reader" in str(end["detail"])
    assert Gate.CHIP_SEEN_BEFORE not in world.asked()
