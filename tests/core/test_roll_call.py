"""After a start no job keeps the others from being told of, and no slot keeps a job waiting."""

from __future__ import annotations

import anyio
import pytest

from benchd.domain.ids import DeviceAddress
from benchd.domain.job import Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot_states import SlotState
from benchd.pipelines.ports import Handset
from benchd.pipelines.recovery import close_open_jobs
from benchd.slots.admission import MOST_S, QUIET_S, RollCall

from .world import MemoryLedger, Phone, World, ended, second_world

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def released(answers_s: list[float]) -> list[float]:
    """When slots that answer at these moments get on, in seconds since the first."""
    roll_call = RollCall()
    begun = anyio.current_time()
    told = dict.fromkeys(range(len(answers_s)), 0.0)

    async def slot(number: int) -> None:
        await anyio.sleep(answers_s[number])
        await roll_call.answer()
        told[number] = round(anyio.current_time() - begun, 3)

    async with anyio.create_task_group() as group:
        for number in told:
            group.start_soon(slot, number)
    return list(told.values())


async def test_one_alone_waits_a_moment() -> None:
    assert await released([0]) == [QUIET_S]


async def test_all_wait_for_the_last_that_comes() -> None:
    assert await released([0, 0.2, 0.4]) == [0.9, 0.8, 0.7]


async def test_nobody_waits_for_one_that_takes_its_time() -> None:
    assert await released([0, 0.2, 2]) == [0.6, 0.5, 2.3]


async def test_it_is_over_at_some_time_and_stays_so() -> None:
    told = await released([step / 10 for step in range(80)])
    assert told[0] == MOST_S
    assert told[51:] == [step / 10 for step in range(51, 80)]


async def cut_off(slots: int) -> World:
    """A daemon has died while its handsets were filled: the next one, on the same ledger."""
    ledger = MemoryLedger()
    first = World(slots, ledger=ledger)
    async with first.running():
        for number, port in enumerate(first.ports.values()):
            port.plug(Phone(serial=f"SERIAL{number}", imei=None))
        await first.until(
            lambda: all(view.stage is StageName.OVERWRITE for view in first.board.views().values())
        )
        before = len(ledger.stored)
    del ledger.stored[before:]
    second = second_world(first, ledger)
    assert await close_open_jobs(ledger, second.clock) == slots
    return second


def slow_to_open(world: World, seconds: dict[str, float]) -> None:
    """Slots whose handset answers adb so much later than the others."""
    open_at_once = world.access.open

    async def open_late(address: DeviceAddress) -> Handset:
        await anyio.sleep(seconds.get(world.port_at(address).slot, 0))
        return await open_at_once(address)

    world.access.open = open_late


def began(world: World, kind: EntryKind, since: int) -> list[int]:
    """Where the records of this kind stand among all that are new."""
    return [
        place
        for place, stored in enumerate(world.ledger.stored[since:])
        if stored.entry.kind is kind
    ]


async def test_each_slot_is_told_of_before_a_job_gets_on() -> None:
    world = await cut_off(4)
    since = len(world.ledger.stored)
    slow_to_open(world, {"A2": 0.2, "A3": 0.4, "A4": 0.6})
    async with world.running():
        for slot in world.ports:
            await world.until_state(SlotState.FINISHED, slot)
    opened = began(world, EntryKind.JOB_OPENED, since)
    assert len(opened) == 4
    assert max(opened) < min(began(world, EntryKind.STAGE_STARTED, since))
    assert [end["outcome"] for end in ended(world)[-4:]] == [Outcome.PASSED] * 4


async def test_a_slot_that_hangs_keeps_nobody_waiting() -> None:
    world = await cut_off(2)
    slow_to_open(world, {"A2": 3600})
    async with world.running():
        await world.until_state(SlotState.RUNNING, "A1")
        told_at = anyio.current_time()
        await world.until_stage(not None)
        assert anyio.current_time() - told_at == pytest.approx(QUIET_S)
        await world.until_state(SlotState.FINISHED, "A1")
        assert world.view("A2").state is SlotState.SETTLING


async def test_a_handset_that_no_daemon_has_known_waits_for_nobody() -> None:
    world = await cut_off(2)
    world.ports["A2"].enumeration = 999
    async with world.running():
        await world.until_state(SlotState.RUNNING, "A2")
        told_at = anyio.current_time()
        await world.until_stage(not None, "A2")
        assert anyio.current_time() == told_at
        assert world.view("A1").stage is None


async def test_what_is_pulled_out_while_it_waits_is_settled() -> None:
    world = await cut_off(1)
    async with world.running():
        await world.until_state(SlotState.RUNNING)
        await world.take_out()
    assert (ended(world)[-1]["outcome"], ended(world)[-1]["reason"]) == (
        Outcome.ABORTED,
        Reason.UNPLUGGED,
    )
