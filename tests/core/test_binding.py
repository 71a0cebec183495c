"""Evidence is bound to one piece of hardware: twins of one serial take no part of a job over."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from benchd.domain.errors import TransientFault
from benchd.domain.job import Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.pipelines.recipe import Recipe
from benchd.pipelines.stages.overwrite import OverwriteStage

from .chip_world import asked, attempts, certified, questions
from .fake_chips import CHIP, OTHER_CHIP, SILENT, UNUSED, FakeChip, FakeChipAccess, scan_of
from .world import MIB, MTP_ONLY, Phone, World, make_recipe, phone_like

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

A_IMEI = "356938035643809"
B_IMEI = "490154203237518"
COMPARED = 16
"""Jobs with a chip that a new one is compared with."""
EID = "89049032004008882600004821436874"


def twin(phone: Phone, **changes: object) -> Phone:
    """Another handset that says the same serial, with its owner's data on it."""
    owned = {
        "screen_imei": B_IMEI,
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


def untold() -> Phone:
    """A handset that tells adb no IMEI, as from Android 14 on."""
    return Phone(imei=None, screen_imei=A_IMEI)


def waiting_recipe() -> Recipe:
    return make_recipe(
        overwrite=OverwriteStage(file_bytes=32 * MIB, unplugged="wait", return_within_s=60)
    )


async def filling(world: World, phone: Phone, steps: int) -> None:
    with anyio.fail_after(600):
        while phone.calls["fill_step"] < steps:  # noqa: ASYNC110 - a counter tells nobody
            await anyio.sleep(0.5)


async def swap(world: World, phone: Phone) -> None:
    """Another handset into the slot, without a word to anybody."""
    world.ports["A1"].unplug()
    await anyio.sleep(5)
    world.ports["A1"].plug(phone)


async def finished(world: World) -> SlotView:
    with anyio.fail_after(7200):
        return await world.until_state(SlotState.FINISHED)


def must_not_pass(world: World, view: SlotView, *reasons: Reason) -> None:
    assert view.outcome is Outcome.FAILED
    assert view.reason in reasons
    assert not certified(world)


# Row 1


async def test_row_1_a_twin_in_mid_overwrite_that_leaves_and_returns() -> None:
    """B's own fresh blocks are no proof of resume: nothing was ever written to it."""
    world = World(recipe=waiting_recipe())
    a = untold()
    b = twin(a, android_id="same on both, as a liar says")
    async with world.running():
        world.ports["A1"].plug(a)
        await filling(world, a, 2)
        b.android_id = a.android_id
        await swap(world, b)
        with anyio.move_on_after(60):
            await filling(world, b, 2)
            await swap(world, b)
        view = await finished(world)
    must_not_pass(world, view, Reason.HANDSET_CHANGED)
    assert not b.calls["fill_step"]


async def test_row_1_a_twin_in_mid_overwrite_whose_first_run_fails() -> None:
    """The proof stays due in the next attempt."""
    world = World(recipe=waiting_recipe())
    a = untold()
    b = twin(a)

    async def once(phone: Phone) -> None:
        if phone.calls["fill"] == 1:
            raise TransientFault("?")

    async with world.running():
        world.ports["A1"].plug(a)
        await filling(world, a, 2)
        b.android_id = a.android_id
        b.faults["fill"] = once
        await swap(world, b)
        view = await finished(world)
    must_not_pass(world, view, Reason.HANDSET_CHANGED)
    assert not b.calls["fill_step"]
    assert b.calls["fill"] == 2


async def test_row_1_the_android_id_tells_a_twin_before_anything_is_asked_of_it() -> None:
    world = World(recipe=waiting_recipe())
    a = untold()
    b = twin(a)
    async with world.running():
        world.ports["A1"].plug(a)
        await filling(world, a, 2)
        await swap(world, b)
        view = await finished(world)
    must_not_pass(world, view, Reason.HANDSET_CHANGED)
    assert not b.calls["fill"]


async def test_a_handset_that_comes_back_is_bound_by_what_it_holds() -> None:
    world = World(recipe=waiting_recipe())
    a = untold()
    async with world.running():
        world.ports["A1"].plug(a)
        await filling(world, a, 2)
        await swap(world, a)
        view = await finished(world)
    assert view.outcome is Outcome.PASSED
    [filled] = attempts(world, StageName.OVERWRITE)
    assert filled["came_back"]["keystream_bytes"] > 0
    assert (
        filled["came_back"]["android_id"]
        == attempts(world, StageName.INITIALISE)[0]["evidence"]["before"]["android_id"]
    )


# Row 2


async def reset_into(world: World, phone: Phone) -> None:
    """At the final reset another handset is put in, and looks as one fresh from its reset."""
    world.does_final_reset = False
    await world.until_asked(Gate.FINAL_RESET)
    world.ports["A1"].unplug()
    await anyio.sleep(45)
    world.ports["A1"].plug(phone, MTP_ONLY)


@pytest.mark.parametrize("tells", [True, False], ids=["tells its IMEI", "tells none"])
async def test_row_2_a_twin_that_was_never_erased_at_the_final_reset(tells: bool) -> None:
    world = World()
    a = Phone() if tells else untold()
    # Whoever looks sees a welcome screen: on a handset with photos but without an account.
    b = twin(a, accounts=0, wiped=True)
    async with world.running():
        world.ports["A1"].plug(a)
        await reset_into(world, b)
        view = await finished(world)
    must_not_pass(world, view, Reason.HANDSET_CHANGED)


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
            view = await world.until_state(SlotState.FINISHED, slot)
            must_not_pass(world, view, Reason.HANDSET_CHANGED)


async def test_a_twin_at_the_first_reset_is_found_by_its_own_screen() -> None:
    world = World()
    a = replace(untold(), apps=3)
    a.returns_as = twin(a, accounts=0, apps=0)
    async with world.running():
        world.ports["A1"].plug(a)
        view = await finished(world)
    must_not_pass(world, view, Reason.HANDSET_CHANGED)
    assert attempts(world, StageName.INITIALISE)[-1]["because"] == Reason.HANDSET_CHANGED


# What is asked, and what of it is taken


async def test_a_handset_that_tells_its_imei_is_asked_for_it_once_after_the_reset() -> None:
    world = World()
    async with world.running():
        world.ports["A1"].plug(replace(Phone(), apps=3))
        view = await finished(world)
    assert view.outcome is Outcome.PASSED
    [question] = questions(world, Gate.IMEI)
    assert set(question["facts"]) == {"model", "serial"}
    assert attempts(world, StageName.OBSERVE)[0]["came_back"]["screen_number"] == A_IMEI


async def test_one_that_tells_none_is_asked_at_the_gates_too() -> None:
    world = World()
    async with world.running():
        world.ports["A1"].plug(untold())
        view = await finished(world)
    assert view.outcome is Outcome.PASSED
    assert asked(world).count(Gate.IMEI) == 1
    assert attempts(world, StageName.GATES)[0]["evidence"]["screen_number"] == A_IMEI
    assert attempts(world, StageName.CONFIRM)[0]["came_back"]["screen_number"] == A_IMEI
    assert attempts(world, StageName.CONFIRM)[0]["evidence"]["numbers"] == [A_IMEI]


async def test_either_imei_of_a_handset_with_two_radios_will_do() -> None:
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone(second_imei=B_IMEI, screen_imei=B_IMEI))
        view = await finished(world)
    assert view.outcome is Outcome.PASSED


async def test_one_that_cannot_telephone_is_bound_by_the_serial_on_its_screen() -> None:
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone(imei=None, telephony=False))
        view = await finished(world)
    assert view.outcome is Outcome.PASSED
    assert Gate.IMEI not in asked(world)
    assert questions(world, Gate.SERIAL)[-1]["facts"].keys() == {"model"}


@pytest.mark.parametrize(
    "typed", ["", "356938035643800", A_IMEI[:14], A_IMEI + "0", EID, "R5CT10ABCDE", f"{A_IMEI}9 ok"]
)
async def test_what_cannot_be_an_imei_is_refused_and_asked_again(typed: str) -> None:
    world = World()
    world.notes[Gate.IMEI] = typed
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until(lambda: (q := world.view().question) is not None and q.gate is Gate.IMEI)
        await anyio.sleep(30)
        assert world.view().state is SlotState.AWAITING_OPERATOR
        world.notes[Gate.IMEI] = f" {A_IMEI[:6]} {A_IMEI[6:]}"
        world.board.show_unknown_port(world.ports["A1"].port_path, attached=True)
        view = await finished(world)
    assert view.outcome is Outcome.PASSED


async def test_a_number_that_nobody_can_read_holds_the_handset() -> None:
    world = World(answers={Gate.IMEI: False})
    async with world.running():
        world.ports["A1"].plug(Phone())
        view = await finished(world)
    must_not_pass(world, view, Reason.HANDSET_NOT_BOUND)


# Chips


def chips_with(*looks: object) -> tuple[World, FakeChipAccess]:
    chip = FakeChip(once=list(looks))  # type: ignore[arg-type]
    access = FakeChipAccess({"A1": chip})
    return World(chips=access), access


async def test_after_the_reset_another_chip_lies_there() -> None:
    world, _ = chips_with(UNUSED, UNUSED, scan_of(UNUSED.verdict, chip=OTHER_CHIP))
    async with world.running():
        world.ports["A1"].plug(Phone())
        view = await finished(world)
    must_not_pass(world, view, Reason.HANDSET_CHANGED)


async def test_a_chip_that_nothing_ties_to_the_handset_binds_nothing() -> None:
    """A donor's chip on the reader survives every swap of the handset."""
    world, _ = chips_with()
    a = Phone()
    b = twin(a, accounts=0, wiped=True)
    async with world.running():
        world.ports["A1"].plug(a)
        await reset_into(world, b)
        view = await finished(world)
    must_not_pass(world, view, Reason.HANDSET_CHANGED)
    assert CHIP in str(attempts(world, StageName.FELICA_CHECK))


async def test_a_chip_that_is_silent_after_the_reset_is_no_fault() -> None:
    world, _ = chips_with(UNUSED, UNUSED, SILENT)
    async with world.running():
        world.ports["A1"].plug(Phone())
        view = await finished(world)
    assert view.outcome is Outcome.PASSED


async def test_the_port_of_a_job_is_on_record_as_the_jobs() -> None:
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone())
        await finished(world)
    [job] = {s.entry.job for s in world.ledger.of(EntryKind.JOB_ENDED)}
    changed = [s for s in world.ledger.of(EntryKind.ATTACHMENT_CHANGED) if s.entry.job == job]
    assert len(changed) == 1


# Row 8


async def one_chip_under(*phones: Phone, **answers: bool) -> tuple[World, list[SlotView]]:
    """The same chip lies on the reader under each of them."""
    told = {Gate(gate): answer for gate, answer in answers.items()}
    world = World(chips=FakeChipAccess({"A1": FakeChip()}), answers=told)
    ends: list[SlotView] = []
    async with world.running():
        for phone in phones:
            world.ports["A1"].plug(phone)
            ends.append(await finished(world))
            world.ports["A1"].unplug()
            await world.until_state(SlotState.EMPTY)
    return world, ends


async def test_row_8_one_chip_under_two_handsets() -> None:
    world, (first, second) = await one_chip_under(Phone(), Phone(imei=B_IMEI))
    assert first.outcome is Outcome.PASSED
    assert (second.outcome, second.reason) == (Outcome.FAILED, Reason.FELICA_INCONSISTENT)
    assert len(world.issuer.kept) == 1


async def test_row_8_one_chip_under_two_handsets_that_are_looked_at_at_once() -> None:
    """Neither check has a record of the other's yet: the re-check looks again."""
    world = World(2, chips=FakeChipAccess({"A1": FakeChip(), "A2": FakeChip()}))
    async with world.running():
        world.ports["A1"].plug(Phone())
        world.ports["A2"].plug(Phone(imei=B_IMEI))
        for slot in ("A1", "A2"):
            view = await world.until_state(SlotState.FINISHED, slot)
            must_not_pass(world, view, Reason.FELICA_INCONSISTENT)


async def test_row_8_a_number_that_one_person_has_read_leaves_it_to_somebody_in_charge() -> None:
    """It may be the handset's other number: the chip alone says that it is the same handset."""
    other = Phone(imei=None, screen_imei=B_IMEI)
    world, (_, second) = await one_chip_under(Phone(), other, chip_seen_before=False)
    assert asked(world).count(Gate.CHIP_SEEN_BEFORE) == 1
    assert second.reason is Reason.FELICA_INCONSISTENT


async def test_row_8_whoever_is_refused_often_enough_is_refused_still() -> None:
    """Its own jobs must not push the job of the other handset out of sight."""
    _, ends = await one_chip_under(Phone(), *[Phone(imei=B_IMEI)] * (COMPARED + 2))
    assert [end.reason for end in ends[1:]] == [Reason.FELICA_INCONSISTENT] * (COMPARED + 2)


async def test_a_handset_may_come_in_again() -> None:
    world, ends = await one_chip_under(Phone(), Phone())
    assert [end.outcome for end in ends] == [Outcome.PASSED, Outcome.PASSED]
    assert Gate.CHIP_SEEN_BEFORE not in asked(world)


@pytest.mark.parametrize("approved", [True, False])
async def test_where_no_imei_is_known_a_person_decides(approved: bool) -> None:
    tablet = Phone(imei=None, telephony=False)
    world, (_, second) = await one_chip_under(tablet, Phone(), chip_seen_before=approved)
    assert asked(world).count(Gate.CHIP_SEEN_BEFORE) == 1
    assert (second.outcome is Outcome.PASSED) is approved
    assert second.reason is (None if approved else Reason.FELICA_INCONSISTENT)
