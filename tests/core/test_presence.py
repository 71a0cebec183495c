"""How long a handset was away, and a cable that comes and goes: it backs off, and says so."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from benchd.domain.ids import ANDROID, DeviceAddress, PortPath
from benchd.domain.job import Disposition
from benchd.domain.port import Absence, Attached, Detached
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode
from benchd.slots.presence import FREE_PLUGS, LONGEST_PAUSE_S, Presence

from .world import ADB, MTP_ONLY, OTHER_IMEI, Phone, World, phone_like

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

BEFORE = Attached(
    port_path=PortPath("p"),
    kind=ANDROID,
    address=DeviceAddress("usb:1-1"),
    attachment="1",
    at_s=100.0,
)
AFTER = replace(BEFORE, attachment="2", at_s=145.0)


def gone(at_s: float) -> Detached:
    return Detached(port_path=BEFORE.port_path, at_s=at_s)


async def absence_of(events: list[Attached | Detached], heard_every_s: float) -> Absence:
    presence = Presence(BEFORE, debounce_s=2.0)
    absence: Absence | None = None
    async with presence.planned_absence() as window, anyio.create_task_group() as group:

        async def hear() -> None:
            for event in events:
                await anyio.sleep(heard_every_s)
                match event:
                    case Attached():
                        presence.arrive(event)
                    case Detached():
                        presence.leave(event)

        group.start_soon(hear)
        absence = await window.absence(leave_within_s=60, return_within_s=60)
    assert absence is not None
    return absence


async def test_an_absence_is_as_long_as_the_port_says_however_late_it_is_heard() -> None:
    for heard_every_s in (0.1, 1.0, 25.0):
        absence = await absence_of([gone(101.5), AFTER], heard_every_s)
        assert (absence.left, absence.returned, absence.absent_s) == (True, True, 43.5)


ABSENCES: dict[str, tuple[list[Attached | Detached], float, float]] = {
    "a restart that is heard late is no reset": ([gone(143.0), AFTER], 30.0, 2.0),
    "the longest of two counts, and more interfaces are none": (
        [
            gone(105.0),
            AFTER,
            replace(AFTER, interfaces=frozenset({"ff4201"}), at_s=400.0),
            gone(445.0),
            replace(AFTER, attachment="3", at_s=450.0),
        ],
        1.0,
        40.0,
    ),
    "an enumeration without a departure has no length": ([AFTER], 1.0, 0.0),
    "times that contradict each other are none": ([gone(200.0), AFTER], 1.0, 0.0),
}


@pytest.mark.parametrize("case", ABSENCES)
async def test_an_absence_is_by_the_times_of_the_ports_events(case: str) -> None:
    events, heard_every_s, absent_s = ABSENCES[case]
    assert (await absence_of(events, heard_every_s)).absent_s == absent_s


# A cable that flaps

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


async def begins_within(world: World) -> float:
    """A handset is plugged in to stay: seconds until its job begins."""
    world.ports["A1"].plug(Phone())
    plugged_s = anyio.current_time()
    await world.until(lambda: world.view().job is not None)
    return anyio.current_time() - plugged_s


def of_slot(world: World) -> int:
    return sum(stored.entry.slot == "A1" for stored in world.ledger.stored)


@pytest.mark.parametrize("cadence", CADENCES)
async def test_careless_a_flapping_cable_writes_no_7200_records_an_hour(cadence: str) -> None:
    world = World(2)
    world.ports["A2"].plug(Phone(serial="NEIGHBOUR", imei=OTHER_IMEI))
    async with world.running():
        # A fill takes longer than any of these.
        await flap(world, Phone(fill_step_s=600), *CADENCES[cadence], for_s=HOUR_S)
        assert of_slot(world) <= MOST_RECORDS_AN_HOUR
        assert world.view("A2").disposition is Disposition.SELLABLE
        assert await begins_within(world) <= LONGEST_PAUSE_S + 5
        assert (await world.finished()).disposition is Disposition.SELLABLE


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
    port = world.ports["A1"]
    async with world.running():
        for _ in range(3):
            for interfaces in (MTP_ONLY, ADB):
                port.plug(Phone(), interfaces)
                await anyio.sleep(1)
                port.unplug()
            await anyio.sleep(4)
        for number in range(2 * FREE_PLUGS):
            port.plug(phone_like(Phone(), serial=f"R5C{number}"))
            await world.until(lambda: world.view().job is not None)
            assert world.view().problem is None
            await world.take_out()
    assert len(world.ledger.of(EntryKind.OCCUPANCY_OPENED)) >= 2 * FREE_PLUGS


async def test_after_some_calm_it_is_forgotten() -> None:
    world = World()
    async with world.running():
        await flap(world, Phone(), 3.0, 3.0, for_s=300)
        await anyio.sleep(901)
        assert await begins_within(world) < 5
