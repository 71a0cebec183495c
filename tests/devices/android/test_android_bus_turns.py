"""Turns on a bus: so many at once, in order, and a handset that hangs blocks nobody."""

from __future__ import annotations

import anyio
import pytest

from benchd.devices.android.adb import AdbAddress
from benchd.devices.android.fill.bus_turns import LONGEST_TURN_S, BusTurns

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


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


async def test_another_bus_doesnt_wait() -> None:
    turns = BusTurns(at_once=1)
    begun = anyio.current_time()
    async with turns.of(AdbAddress("usb:1-1")), turns.of(AdbAddress("usb:2-1")):
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


async def test_whoever_is_cancelled_gives_the_turn_back() -> None:
    turn = BusTurns(at_once=1).of(AdbAddress("usb:1-1"))
    with anyio.move_on_after(LONGEST_TURN_S / 4):
        async with turn:
            await anyio.sleep_forever()
    begun = anyio.current_time()
    async with turn:
        assert anyio.current_time() - begun < LONGEST_TURN_S / 4
