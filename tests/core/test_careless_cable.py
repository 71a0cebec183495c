"""A cable that comes and goes: it backs off, says so, and what stays there begins by itself."""

from __future__ import annotations

import anyio
import pytest

from benchd.domain.job import Disposition
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.slots.presence import FREE_PLUGS, LONGEST_PAUSE_S

from .world import MTP_ONLY, Phone, World, phone_like

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

HOUR_S = 3600.0
MOST_RECORDS_AN_HOUR = 500
CADENCES = {
    "half a second": (0.25, 0.25),
    "a second": (0.5, 0.5),
    "longer than a port takes to settle": (3.0, 3.0),
    "long enough for a job to begin": (5.0, 1.0),
    "half a minute": (30.0, 2.0),
    "a minute and a quarter": (70.0, 5.0),
}


async def flap(world: World, phone: Phone, on_s: float, off_s: float, for_s: float) -> None:
    port, ends_s = world.ports["A1"], anyio.current_time() + for_s
    while anyio.current_time() < ends_s:
        port.plug(phone)
        await anyio.sleep(on_s)
        port.unplug()
        await anyio.sleep(off_s)


def of_slot(world: World, slot: str = "A1") -> int:
    return sum(stored.entry.slot == slot for stored in world.ledger.stored)


@pytest.mark.parametrize("cadence", CADENCES)
async def test_careless_a_flapping_cable_writes_no_7200_records_an_hour(cadence: str) -> None:
    world = World(2)
    world.ports["A2"].plug(Phone(serial="NEIGHBOUR", imei="490154203237518"))
    async with world.running():
        # A fill takes longer than any of these.
        await flap(world, Phone(fill_step_s=600), *CADENCES[cadence], for_s=HOUR_S)
        assert of_slot(world) <= MOST_RECORDS_AN_HOUR
        neighbour = world.view("A2")
        assert neighbour.state is SlotState.FINISHED
        assert neighbour.disposition is Disposition.SELLABLE
        phone = Phone()
        world.ports["A1"].plug(phone)
        stays_s = anyio.current_time()
        await world.until(lambda: world.view().job is not None)
        assert anyio.current_time() - stays_s <= LONGEST_PAUSE_S + 5
        view = await world.until_state(SlotState.FINISHED)
        assert view.disposition is Disposition.SELLABLE


async def test_the_tile_says_so_and_forgets_it_with_the_handset() -> None:
    world = World()
    async with world.running():
        await flap(world, Phone(), 3.0, 1.0, for_s=60)
        world.ports["A1"].plug(Phone())
        await world.until(lambda: world.view().problem is not None)
        problem = world.view().problem
        assert problem is not None
        assert problem.code is ProblemCode.PORT_FLAPS
        await world.take_out()
        before = of_slot(world)
        await anyio.sleep(HOUR_S)
        assert of_slot(world) == before


async def test_some_plugs_and_other_handsets_wait_for_nothing() -> None:
    """A handset that is plugged in thrice, and a slot through which one goes after the other."""
    world = World()
    async with world.running():
        for _ in range(3):
            world.ports["A1"].plug(Phone(), MTP_ONLY)
            await anyio.sleep(1)
            world.ports["A1"].unplug()
            world.ports["A1"].plug(Phone())
            await anyio.sleep(1)
            world.ports["A1"].unplug()
            await anyio.sleep(4)
        for number in range(2 * FREE_PLUGS):
            world.ports["A1"].plug(phone_like(Phone(), serial=f"R5C{number}"))
            await world.until(lambda: world.view().job is not None)
            assert world.view().problem is None
            await world.take_out()
    occupancies = world.ledger.of(EntryKind.OCCUPANCY_OPENED)
    assert len(occupancies) >= 2 * FREE_PLUGS


async def test_after_some_calm_it_is_forgotten() -> None:
    world = World()
    async with world.running():
        await flap(world, Phone(), 3.0, 3.0, for_s=300)
        await anyio.sleep(901)
        world.ports["A1"].plug(Phone())
        plugged_s = anyio.current_time()
        await world.until(lambda: world.view().job is not None)
        assert anyio.current_time() - plugged_s < 5
