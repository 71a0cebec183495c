"""How much time an attempt at a stage has left, before, while and after it stands still."""

from __future__ import annotations

from contextlib import suppress

import anyio
import pytest

from benchd.pipelines.waiting import StageTime

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def spend(before_s: float, still_s: float, after_s: float) -> None:
    """An attempt of 10 s, part of which stands still."""
    time = StageTime()
    with time.limited(10):
        await anyio.sleep(before_s)
        with time.stands_still():
            await anyio.sleep(still_s)
        await anyio.sleep(after_s)


async def fail_in_between() -> None:
    """What is waited for ends with an error, and the attempt goes on."""
    time = StageTime()
    with time.limited(10):
        with suppress(RuntimeError), time.stands_still():
            await anyio.sleep(100)
            raise RuntimeError
        await anyio.sleep_forever()


async def test_what_stands_still_costs_nothing_and_gives_nothing() -> None:
    """Of 10 s, 4 are gone before and 6 are left after, however long it was in between."""
    await spend(4, 1000, 5.9)
    began = anyio.current_time()
    with pytest.raises(TimeoutError):
        await spend(4, 1000, 3600)
    assert anyio.current_time() - began == pytest.approx(1010)


async def test_the_time_goes_on_also_after_what_was_waited_for_has_failed() -> None:
    began = anyio.current_time()
    with pytest.raises(TimeoutError):
        await fail_in_between()
    assert anyio.current_time() - began == pytest.approx(110)


async def test_without_an_attempt_nothing_has_to_stand_still() -> None:
    with StageTime().stands_still():
        await anyio.sleep(1)
    assert anyio.current_time() == pytest.approx(1)
