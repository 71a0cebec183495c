"""Evidence is bound to one piece of hardware: twins of one serial take no part of a job over."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from benchd.domain.errors import TransientFault
from benchd.domain.job import Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState

from . import world as rack
from .fake_chips import CHECK, CHIP, OTHER_CHIP, SILENT, UNUSED, FakeChip, FakeChipAccess, scan_of
from .world import (
    IMEI,
    MTP_ONLY,
    OTHER_IMEI,
    Fault,
    Phone,
    failing,
    filling,
    phone_like,
    untold,
    waiting_recipe,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

COMPARED = 16
"""Jobs with a chip that a new one is compared with."""
EID = "89049032004008882600004821436874"


class World(rack.World):
    """A rack on which no job may take longer than two hours."""

    def __init__(self, slots: int = 1, **parts: Any) -> None:  # noqa: ANN401
        super().__init__(slots, **parts)
        self.within_s = 7200


def twin(phone: Phone, **changes: object) -> Phone:
    """Another handset that says the same serial, with its owner's data on it."""
    owned = {
        "screen_imei": OTHER_IMEI,
        "android_id": "bbbb0000bbbb0000",
        "accounts": 1,
        "held_key": b"",
        "held_bytes": 0,
        "erased_for_real": False,
        "wiped": False,
        "filled": [],
        "checked": [],
    }
    return phone_like(phone, **(owned | changes))


async def swap(world: World, phone: Phone) -> None:
    """Another handset into the slot, without a word to anybody."""
    world.ports["A1"].unplug()
    await anyio.sleep(5)
    world.ports["A1"].plug(phone)


async def swapped_in_mid_fill(first: Phone, second: Phone, *, liar: bool = False) -> World:
    """A rack on which the second of these came back instead of the first, at its second quarter."""
    world = World(recipe=waiting_recipe())
    async with world.running():
        world.ports["A1"].plug(first)
        await filling(first, 2)
        if liar:
            second.android_id = first.android_id
        await swap(world, second)
        await world.finished()
    return world


# Row 1


async def test_row_1_a_twin_in_mid_overwrite_that_leaves_and_returns() -> None:
    """B's own fresh blocks are no proof of resume: nothing was ever written to it."""
    world = World(recipe=waiting_recipe())
    a = untold()
    b = twin(a)
    async with world.running():
        world.ports["A1"].plug(a)
        await filling(a, 2)
        b.android_id = a.android_id
        await swap(world, b)
        with anyio.move_on_after(60):
            await filling(b, 2)
            await swap(world, b)
        view = await world.finished()
    world.must_not_pass(view, Reason.HANDSET_CHANGED)
    assert not b.calls["fill_step"]


@pytest.mark.parametrize(
    ("faults", "liar", "fills"),
    [({}, False, 0), (failing("fill", TransientFault("?"), 1), True, 2)],
    ids=["told by its android_id before anything is asked", "the proof stays due after a fault"],
)
async def test_row_1_a_twin_in_mid_overwrite_whose_first_run_fails(
    faults: dict[str, Fault], liar: bool, fills: int
) -> None:
    a = untold()
    b = twin(a)
    b.faults.update(faults)
    world = await swapped_in_mid_fill(a, b, liar=liar)
    world.must_not_pass(world.view(), Reason.HANDSET_CHANGED)
    assert not b.calls["fill_step"]
    assert b.calls["fill"] == fills


async def test_a_handset_that_comes_back_is_bound_by_what_it_holds() -> None:
    a = untold()
    world = await swapped_in_mid_fill(a, a)
    assert world.view().outcome is Outcome.PASSED
    [filled] = world.attempts(StageName.OVERWRITE)
    assert filled["came_back"]["keystream_bytes"] > 0
    before = world.attempts(StageName.INITIALISE)[0]["evidence"]["before"]
    assert filled["came_back"]["android_id"] == before["android_id"]


# Row 2


async def reset_into(world: rack.World, phone: Phone) -> None:
    """At the final reset another handset is put in, and looks as one fresh from its reset."""
    world.does_final_reset = False
    await world.until_asked(Gate.FINAL_RESET)
    world.ports["A1"].unplug()
    await anyio.sleep(45)
    world.ports["A1"].plug(phone, MTP_ONLY)


@pytest.mark.parametrize(
    ("tells", "donor"),
    [(True, False), (False, False), (True, True)],
    ids=["tells its IMEI", "tells none", "a donor's chip survives every swap"],
)
async def test_row_2_a_twin_that_was_never_erased_at_the_final_reset(
    tells: bool, donor: bool
) -> None:
    world = World(chips=FakeChipAccess({"A1": FakeChip()}) if donor else None)
    a = Phone() if tells else untold()
    # Whoever looks sees a welcome screen: on a handset with photos but without an account.
    b = twin(a, accounts=0, wiped=True)
    async with world.running():
        world.ports["A1"].plug(a)
        await reset_into(world, b)
        view = await world.finished()
    world.must_not_pass(view, Reason.HANDSET_CHANGED)
    assert (CHIP in str(world.attempts(CHECK))) is donor


async def test_row_2_two_twins_exchanged_at_the_final_reset() -> None:
    world = World(2)
    a, b = untold(), twin(untold(), accounts=0)
    async with world.running():
        world.does_final_reset = False
        world.ports["A1"].plug(a)
        world.ports["A2"].plug(b)
        await world.until_asked(Gate.FINAL_RESET, 2)
        for slot in ("A1", "A2"):
            world.ports[slot].unplug()
        a.wipe()
        b.wipe()
        await anyio.sleep(45)
        world.ports["A1"].plug(b, MTP_ONLY)
        world.ports["A2"].plug(a, MTP_ONLY)
        for slot in ("A1", "A2"):
            world.must_not_pass(await world.finished(slot), Reason.HANDSET_CHANGED)


async def test_a_twin_at_the_first_reset_is_found_by_its_own_screen() -> None:
    world = World()
    a = untold(apps=3)
    a.returns_as = twin(a, accounts=0, apps=0)
    await world.refuses(a, Reason.HANDSET_CHANGED)
    assert world.attempts(StageName.INITIALISE)[-1]["because"] == Reason.HANDSET_CHANGED


# What is asked, and what of it is taken


async def test_a_handset_that_tells_its_imei_is_asked_for_it_once_after_the_reset() -> None:
    world = World()
    await world.sells(Phone(apps=3))
    [question] = world.questions(Gate.IMEI)
    assert set(question["facts"]) == {"model", "serial"}
    assert world.attempts(StageName.OBSERVE)[0]["came_back"]["screen_number"] == IMEI
    [job] = {s.entry.job for s in world.ledger.of(EntryKind.JOB_ENDED)}
    changed = [s.entry.job for s in world.ledger.of(EntryKind.ATTACHMENT_CHANGED)]
    assert changed.count(job) == 2


async def test_one_that_tells_none_is_asked_at_the_gates_too() -> None:
    world = World()
    await world.sells(untold())
    assert world.asked().count(Gate.IMEI) == 1
    assert world.attempts(StageName.GATES)[0]["evidence"]["screen_number"] == IMEI
    assert world.attempts(StageName.CONFIRM)[0]["came_back"]["screen_number"] == IMEI
    assert world.attempts(StageName.CONFIRM)[0]["evidence"]["numbers"] == [IMEI]
    # The port of a job is on record as the job's.
    [job] = {s.entry.job for s in world.ledger.of(EntryKind.JOB_ENDED)}
    changed = [s.entry.job for s in world.ledger.of(EntryKind.ATTACHMENT_CHANGED)]
    assert changed.count(job) == 1


async def test_either_imei_of_a_handset_with_two_radios_will_do() -> None:
    await World().sells(Phone(second_imei=OTHER_IMEI, screen_imei=OTHER_IMEI))


async def test_one_that_cannot_telephone_is_bound_by_the_serial_on_its_screen() -> None:
    world = World()
    await world.sells(Phone(imei=None, telephony=False))
    assert Gate.IMEI not in world.asked()
    assert world.questions(Gate.SERIAL)[-1]["facts"].keys() == {"model"}


@pytest.mark.parametrize(
    "typed", ["", "356938035643800", IMEI[:14], IMEI + "0", EID, "R5CT10ABCDE", f"{IMEI}9 ok"]
)
async def test_what_cannot_be_an_imei_is_refused_and_asked_again(typed: str) -> None:
    world = World()
    world.notes[Gate.IMEI] = typed
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_question(Gate.IMEI)
        await anyio.sleep(30)
        assert world.view().state is SlotState.AWAITING_OPERATOR
        world.notes[Gate.IMEI] = f" {IMEI[:6]} {IMEI[6:]}"
        world.back_at_work()
        assert (await world.finished()).outcome is Outcome.PASSED


async def test_a_number_that_nobody_can_read_holds_the_handset() -> None:
    await World(answers={Gate.IMEI: False}).refuses(Phone(), Reason.HANDSET_NOT_BOUND)


@pytest.mark.parametrize("silent", [True, False])
async def test_a_chip_that_is_silent_after_the_reset_is_no_fault_and_another_one_is(
    silent: bool,
) -> None:
    last = SILENT if silent else scan_of(UNUSED.verdict, chip=OTHER_CHIP)
    world = World(chips=FakeChipAccess({"A1": FakeChip(once=[UNUSED, UNUSED, last])}))
    if silent:
        await world.sells()
    else:
        await world.refuses(Phone(), Reason.HANDSET_CHANGED)


# Row 8


async def one_chip_under(*phones: Phone, **answers: bool) -> tuple[World, list[SlotView]]:
    """The same chip lies on the reader under each of them."""
    told = {Gate(gate): answer for gate, answer in answers.items()}
    world = World(chips=FakeChipAccess({"A1": FakeChip()}), answers=told)
    async with world.running():
        return world, [await world.ran(phone) for phone in phones]


async def test_row_8_one_chip_under_two_handsets() -> None:
    world, (first, second) = await one_chip_under(Phone(), Phone(imei=OTHER_IMEI))
    assert first.outcome is Outcome.PASSED
    assert (second.outcome, second.reason) == (Outcome.FAILED, Reason.FELICA_INCONSISTENT)
    assert len(world.issuer.kept) == 1


async def test_row_8_one_chip_under_two_handsets_that_are_looked_at_at_once() -> None:
    """Neither check has a record of the other's yet: the re-check looks again."""
    world = World(2, chips=FakeChipAccess({"A1": FakeChip(), "A2": FakeChip()}))
    async with world.running():
        world.ports["A1"].plug(Phone())
        world.ports["A2"].plug(Phone(imei=OTHER_IMEI))
        for slot in ("A1", "A2"):
            world.must_not_pass(await world.finished(slot), Reason.FELICA_INCONSISTENT)


async def test_row_8_a_number_that_one_person_has_read_leaves_it_to_somebody_in_charge() -> None:
    """It may be the handset's other number: the chip alone says that it is the same handset."""
    other = Phone(imei=None, screen_imei=OTHER_IMEI)
    world, (_, second) = await one_chip_under(Phone(), other, chip_seen_before=False)
    assert world.asked().count(Gate.CHIP_SEEN_BEFORE) == 1
    assert second.reason is Reason.FELICA_INCONSISTENT


async def test_row_8_whoever_is_refused_often_enough_is_refused_still() -> None:
    """Its own jobs must not push the job of the other handset out of sight."""
    _, ends = await one_chip_under(Phone(), *[Phone(imei=OTHER_IMEI)] * (COMPARED + 2))
    assert [end.reason for end in ends[1:]] == [Reason.FELICA_INCONSISTENT] * (COMPARED + 2)


async def test_a_handset_may_come_in_again() -> None:
    world, ends = await one_chip_under(Phone(), Phone())
    assert [end.outcome for end in ends] == [Outcome.PASSED, Outcome.PASSED]
    assert Gate.CHIP_SEEN_BEFORE not in world.asked()


@pytest.mark.parametrize("approved", [True, False])
async def test_where_no_imei_is_known_a_person_decides(approved: bool) -> None:
    tablet = Phone(imei=None, telephony=False)
    world, (_, second) = await one_chip_under(tablet, Phone(), chip_seen_before=approved)
    assert world.asked().count(Gate.CHIP_SEEN_BEFORE) == 1
    assert (second.outcome is Outcome.PASSED) is approved
    assert second.reason is (None if approved else Reason.FELICA_INCONSISTENT)
