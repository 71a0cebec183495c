"""Wake-ups: nobody who waits is forgotten, and no request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import pytest

from benchd.domain.wakeup import Bell, Wakeup

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


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
