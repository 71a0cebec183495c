"""A handset taken to a kiosk for its clear: it may come back, and nothing else may."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
import pytest

from benchd.domain.clear import ClearOutcome
from benchd.domain.errors import HandsetGone
from benchd.domain.job import Disposition, Gate, Outcome, Reason
from benchd.domain.slot_states import SlotState

from .fake_chips import (
    CLEAR,
    IN_USE,
    UNUSED,
    FakeChip,
    FakeChipAccess,
    scan_of,
    world_with,
)
from .world import Phone, World, phone_like

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


def at_the_kiosk(answers: Mapping[Gate, bool] | None = None) -> tuple[World, FakeChipAccess]:
    """A rack that asks for a clear by hand, its operators still away."""
    chip = FakeChip(once=[IN_USE], claims=[ClearOutcome.NEEDS_OPERATOR])
    world, chips = world_with(chip, answers)
    chip.goes_with = world.ports["A1"]
    world.silent_in = CLEAR
    return world, chips


async def until_cleared_by_hand(world: World) -> None:
    await world.until_stage(CLEAR and world.view().question is not None)


def operators_return(world: World) -> None:
    world.back_at_work()


@pytest.mark.parametrize("answered_first", [True, False])
async def test_a_handset_may_be_taken_to_a_kiosk_and_comes_back(answered_first: bool) -> None:
    world, _ = at_the_kiosk()
    phone = Phone()
    known = phone.android_id
    port = world.ports["A1"]
    async with world.running():
        port.plug(phone)
        await until_cleared_by_hand(world)
        port.unplug()
        await anyio.sleep(600)
        assert world.view().state is SlotState.AWAITING_OPERATOR
        if answered_first:
            operators_return(world)
            await world.until_state(SlotState.REPLUGGING)
        port.plug(phone)
        if not answered_first:
            await anyio.sleep(600)
            operators_return(world)
        view = await world.until_state(SlotState.FINISHED)
    assert (view.outcome, view.disposition) == (Outcome.PASSED, Disposition.SELLABLE)
    assert (view.occupancy, phone.calls["fill"]) == (1, 1)
    [clear] = world.attempts(CLEAR)
    assert clear["evidence"]["absent_s"] >= 600
    assert clear["evidence"]["android_id"] == known


SWAPPED = {
    "another serial": {"serial": "OTHER"},
    "another IMEI": {"imei": "490154203237518"},
    # Says the same of itself in all that it's asked for but the id that Android drew.
    "a twin": {"android_id": "bbbb1111bbbb1111"},
    "a twin without an id": {"android_id": ""},
}


@pytest.mark.parametrize("swap", SWAPPED)
async def test_another_handset_from_the_kiosk_is_never_taken_for_the_first(swap: str) -> None:
    world, _ = at_the_kiosk()
    phone = Phone()
    port = world.ports["A1"]
    async with world.running():
        port.plug(phone)
        await until_cleared_by_hand(world)
        port.unplug()
        await anyio.sleep(60)
        port.plug(phone_like(phone, **SWAPPED[swap]))
        operators_return(world)
        view = await world.until_state(SlotState.FINISHED)
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.HANDSET_CHANGED)
    assert not world.certified()


async def test_a_twin_is_found_out_by_the_next_attempt_too() -> None:
    async def lost_once(phone: Phone) -> None:
        if phone.calls["reset_facts"] == 1:
            raise HandsetGone("?")

    world, chips = at_the_kiosk()
    phone = Phone()
    port = world.ports["A1"]
    async with world.running():
        port.plug(phone)
        await until_cleared_by_hand(world)
        port.unplug()
        await anyio.sleep(60)
        twin = phone_like(phone, android_id="bbbb1111bbbb1111")
        twin.faults["reset_facts"] = lost_once
        port.plug(twin)
        operators_return(world)
        view = await world.until_state(SlotState.FINISHED)
    assert twin.calls["reset_facts"] == 2
    assert view.reason is Reason.HANDSET_CHANGED
    assert len(chips.orders) == 1
    assert not world.certified()


async def test_a_handset_that_stays_away_ends_its_job_and_the_slot_takes_the_next() -> None:
    world, chips = at_the_kiosk()
    port = world.ports["A1"]
    async with world.running():
        port.plug(Phone())
        await until_cleared_by_hand(world)
        port.unplug()
        operators_return(world)
        view = await world.until_state(SlotState.FINISHED)
        assert (view.disposition, view.reason) == (
            Disposition.HOLD,
            Reason.HANDSET_NOT_RETURNED,
        )
        chips.chips["A1"] = FakeChip(looks=scan_of(UNUSED.verdict, chip="deadbeef" * 8))
        port.plug(Phone(serial="R5CT10ABCDF", imei="490154203237518"))
        await world.until_state(SlotState.RUNNING)
        view = await world.until_state(SlotState.FINISHED)
        assert (view.occupancy, view.disposition) == (2, Disposition.SELLABLE)
