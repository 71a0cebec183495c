"""Turns at the adb server and on a bus: in order, and a handset that hangs blocks nobody."""

from __future__ import annotations

import asyncio
import random

import anyio
import pytest
from anyio.lowlevel import checkpoint

from benchd.devices.android.adb import AdbAddress
from benchd.devices.android.fill.bus_turns import LONGEST_TURN_S, BusTurns
from benchd.devices.android.server.adb_turns import FOR_THE_LONGEST_WAITING, Turns

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def waits(turns: Turns, order: int, called: list[int]) -> None:
    async with turns.turn(order):
        called.append(order)


async def test_the_first_go_first_and_each_fourth_turn_is_of_who_has_waited_longest() -> None:
    turns, called = Turns(1), list[int]()
    async with anyio.create_task_group() as tasks, turns.turn(0):
        for order in (9, 8, 7, 6, 5, 4, 3, 2):
            tasks.start_soon(waits, turns, order, called)
            await checkpoint()
    assert called == [2, 3, 4, 9, 5, 6, 7, 8]


async def test_nobody_waits_for_ever_behind_those_who_come_again_and_again() -> None:
    turns, called = Turns(2), list[int]()

    async def comes_again(order: int) -> None:
        while True:
            async with turns.turn(order):
                await anyio.sleep(1)

    async with anyio.create_task_group() as tasks:
        for order in range(6):
            tasks.start_soon(comes_again, order)
        await anyio.sleep(0.5)
        with anyio.fail_after(6 * FOR_THE_LONGEST_WAITING):
            await waits(turns, 1000, called)
        tasks.cancel_scope.cancel()
    assert called == [1000]


async def test_who_needs_no_turn_of_others_waits_for_nobody() -> None:
    turns = Turns(2)
    began = anyio.current_time()
    async with turns.turn(2), turns.turn(1):
        assert anyio.current_time() == began


@pytest.mark.parametrize("seed", range(20))
async def test_whoever_leaves_takes_no_turn_along(seed: int) -> None:
    drawn, turns = random.Random(seed), Turns(3)
    at_work = most = 0

    async def works(order: int) -> None:
        nonlocal at_work, most
        with anyio.move_on_after(drawn.choice((0, 1, 2, 3, 100))):
            async with turns.turn(order):
                at_work += 1
                most = max(most, at_work)
                try:
                    await anyio.sleep(drawn.choice((0, 1, 2)))
                finally:
                    at_work -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(200):
            tasks.start_soon(works, drawn.randrange(50))
            await anyio.sleep(drawn.choice((0, 0, 0.5)))
    assert (at_work, most) == (0, 3)
    async with turns.turn(1), turns.turn(1), turns.turn(1):
        with anyio.move_on_after(1) as late:
            await waits(turns, 0, [])
        assert late.cancelled_caught


async def test_a_turn_that_came_in_the_moment_of_leaving_goes_to_the_next() -> None:
    turns, called = Turns(1), list[int]()
    # Nothing of it has run before the first turn is taken.
    leaves = asyncio.create_task(waits(turns, 1, called))
    async with anyio.create_task_group() as tasks:
        async with turns.turn(0):
            await checkpoint()
            tasks.start_soon(waits, turns, 2, called)
            await checkpoint()
        # Called just now, and gone before it has run.
        leaves.cancel()
    assert leaves.cancelled()
    assert called == [2]


async def test_one_bus_takes_so_many_at_once_and_each_in_its_order() -> None:
    turns = BusTurns(at_once=2)
    at_work: set[int] = set()
    most = 0
    order: list[int] = []

    async def piece(number: int) -> None:
        nonlocal most
        async with turns.of(AdbAddress(f"usb:1-1.{number}")):
            at_work.add(number)
            order.append(number)
            most = max(most, len(at_work))
            await anyio.sleep(LONGEST_TURN_S / 2)
            at_work.remove(number)

    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(piece, number)
    assert most == 2
    assert order == list(range(6))


async def test_another_bus_doesnt_wait_and_whoever_is_cancelled_gives_the_turn_back() -> None:
    turns = BusTurns(at_once=1)
    turn = turns.of(AdbAddress("usb:1-1"))
    with anyio.move_on_after(LONGEST_TURN_S / 4):
        async with turn:
            await anyio.sleep_forever()
    begun = anyio.current_time()
    async with turn, turns.of(AdbAddress("usb:2-1")):
        assert anyio.current_time() == begun


async def test_who_hangs_keeps_no_turn_and_gives_none_back_twice() -> None:
    turns = BusTurns(at_once=1)
    mine, other = turns.of(AdbAddress("usb:1-1")), turns.of(AdbAddress("usb:1-2"))
    begun = anyio.current_time()
    async with anyio.create_task_group() as group:

        async def hang() -> None:
            async with mine:
                await anyio.sleep(60)

        group.start_soon(hang)
        await anyio.wait_all_tasks_blocked()
        async with other:
            assert anyio.current_time() - begun == pytest.approx(LONGEST_TURN_S, abs=0.1)
    async with mine:
        with anyio.move_on_after(LONGEST_TURN_S / 2) as waited:
            async with other:
                pass
        assert waited.cancelled_caught
