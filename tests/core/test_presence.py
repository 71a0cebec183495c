"""Times: how long a handset was away, a cable that comes and goes, what is left, and wake-ups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import anyio
import pytest

from benchd.domain.ids import ANDROID, DeviceAddress, PortPath, SlotName
from benchd.domain.job import Disposition, Outcome, StageName
from benchd.domain.port import Absence, Attached, Detached
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode, SlotView
from benchd.domain.slot_states import SlotState
from benchd.domain.wakeup import Bell, Wakeup
from benchd.slots.presence import Presence
from benchd.slots.replug_backoff import FREE_PLUGS, LONGEST_PAUSE_S
from benchd.slots.time_remaining import Forecast, Pace

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
        neighbour = world.view("A2")
        assert neighbour.state is SlotState.FINISHED
        assert neighbour.disposition is Disposition.SELLABLE
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


# How long a handset still takes: held against a clock that the forecast doesn't see.


GB = 1_000_000_000
STAGES = (
    StageName.INSPECT,
    StageName.INITIALISE,
    StageName.OVERWRITE,
    StageName.READ_BACK,
    StageName.CONFIRM,
    StageName.CERTIFY,
)
TAKES_S = {StageName.INSPECT: 3, StageName.INITIALISE: 70, StageName.CERTIFY: 1}
WRITE_S_PER_GB, READ_S_PER_GB = 8.0, 3.0


def shown(
    stage: StageName | None,
    state: SlotState = SlotState.RUNNING,
    outcome: Outcome | None = None,
) -> SlotView:
    ended = None if outcome is None else Disposition.HOLD
    return SlotView(
        slot=SlotName("A1"),
        port_path=PortPath("p"),
        state=state,
        stage=stage,
        outcome=outcome,
        disposition=ended,
    )


async def whole_job(
    pace: Pace, gigabytes: float, *, person_s: float = 0.0
) -> list[tuple[float | None, float]]:
    """What was foretold at each stage's begin, and what machines really took from there on."""
    forecast = Forecast(pace, STAGES)
    forecast.turned(shown(None))
    told: list[tuple[float | None, float]] = []
    machines_s = 0.0
    for stage in STAGES:
        forecast.turned(shown(stage))
        if stage is StageName.INITIALISE:
            forecast.capacity_bytes = round(gigabytes * GB)
        told.append((forecast.left_s(None), machines_s))
        seconds = {
            **TAKES_S,
            StageName.OVERWRITE: gigabytes * WRITE_S_PER_GB,
            StageName.READ_BACK: gigabytes * READ_S_PER_GB,
        }.get(stage, 0.0)
        await anyio.sleep(seconds)
        machines_s += seconds
        if stage is StageName.CONFIRM:
            forecast.turned(shown(stage, SlotState.AWAITING_OPERATOR))
            await anyio.sleep(person_s)
            forecast.turned(shown(stage))
    forecast.turned(shown(StageName.CERTIFY, SlotState.FINISHED, Outcome.PASSED))
    return [(foretold, machines_s - before) for foretold, before in told]


async def test_nothing_is_foretold_that_the_rack_has_never_seen() -> None:
    told = await whole_job(Pace(), 64)
    by_stage = dict(zip(STAGES, (foretold for foretold, _ in told), strict=True))
    assert [by_stage[stage] for stage in STAGES[:3]] == [None, None, None]


async def test_the_second_handset_is_foretold_by_the_first_whatever_its_size() -> None:
    pace = Pace()
    await whole_job(pace, 64, person_s=3000)
    told = await whole_job(pace, 256, person_s=12)
    assert told[0][0] is None  # before the inspection nobody knows how large it is
    for foretold, really in told[1:]:
        assert foretold == pytest.approx(really, abs=0.01)


async def test_what_people_take_is_not_in_it() -> None:
    pace = Pace()
    await whole_job(pace, 64, person_s=0)
    once = await whole_job(pace, 64, person_s=7200)
    again = await whole_job(pace, 64, person_s=7200)
    assert [foretold for foretold, _ in once] == [foretold for foretold, _ in again]


async def test_a_stage_that_failed_says_nothing_of_how_long_it_takes() -> None:
    pace = Pace()
    await whole_job(pace, 64)
    before = pace.expects(StageName.OVERWRITE, GB)
    forecast = Forecast(pace, STAGES)
    forecast.capacity_bytes = 64 * GB
    forecast.turned(shown(StageName.OVERWRITE))
    await anyio.sleep(50_000)
    forecast.turned(shown(StageName.OVERWRITE, SlotState.FINISHED, Outcome.FAILED))
    assert pace.expects(StageName.OVERWRITE, GB) == before


async def test_the_time_left_in_a_stage_is_its_own_and_then_what_comes() -> None:
    pace = Pace()
    await whole_job(pace, 64)
    forecast = Forecast(pace, STAGES)
    forecast.capacity_bytes = 64 * GB
    forecast.turned(shown(StageName.OVERWRITE))
    assert forecast.left_s(100.0) == pytest.approx(100 + 64 * READ_S_PER_GB + 1)


# Wake-ups: nobody who waits is forgotten, and no request.


async def returns_within(wait: Callable[[], Awaitable[object]], limit_s: float) -> bool:
    with anyio.move_on_after(limit_s) as waited:
        await wait()
    return not waited.cancelled_caught


async def test_a_wakeup_wakes_all_who_wait_and_nobody_who_comes_later() -> None:
    wakeup, woken = Wakeup(), list[int]()

    async def sleeper(number: int) -> None:
        await wakeup.wait()
        woken.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(sleeper, number)
        await anyio.sleep(1)
        wakeup.fire()
    assert sorted(woken) == [0, 1, 2]
    assert not await returns_within(wakeup.wait, 1)


async def test_until_looks_at_once_and_again_after_every_wakeup() -> None:
    wakeup, steps = Wakeup(), list[int]()
    assert await returns_within(lambda: wakeup.until(lambda: True), 1)

    async def work() -> None:
        for step in range(3):
            await anyio.sleep(1)
            steps.append(step)
            wakeup.fire()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        await wakeup.until(lambda: len(steps) == 2)
        assert steps == [0, 1]


async def test_a_bell_that_rang_while_nobody_waited_is_heard_once() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    assert await returns_within(bell.wait, 1)
    assert not await returns_within(bell.wait, 1)
    bell.ring()
    assert await returns_within(bell.wait, 1)
