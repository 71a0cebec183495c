"""When the loop is calm: by looks that come back in time, or late by others' work alone."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from benchd.daemon import calm_loop
from benchd.daemon.calm_loop import LOOK_EVERY_S, LOOKS_IN_TIME, until_loop_is_calm

pytestmark = pytest.mark.asyncio

IN_TIME = (0.001, 0.001)
BUSY = (0.02, 0.03)
OTHERS_ARE_BUSY = (0.5, 0.001)
WORKS = (0.001, 0.015)


class Loop:
    """Each look comes late by so much, and the loop's thread has worked for so long meanwhile."""

    def __init__(
        self, looks: Sequence[tuple[float, float]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._looks = list(looks)
        self._now_s = self._worked_s = 0.0
        monkeypatch.setattr(calm_loop.anyio, "sleep_until", self._sleep_until)
        monkeypatch.setattr(calm_loop.anyio, "current_time", lambda: self._now_s)
        monkeypatch.setattr(calm_loop.time, "thread_time", lambda: self._worked_s)
        self.looks = 0

    async def _sleep_until(self, due_s: float) -> None:
        late_s, worked_s = self._looks.pop(0) if self._looks else IN_TIME
        self._now_s = due_s + late_s
        self._worked_s += worked_s
        self.looks += 1


@pytest.mark.parametrize(
    ("looks", "taken"),
    [
        ([], LOOKS_IN_TIME),
        ([BUSY], 1 + LOOKS_IN_TIME),
        ([IN_TIME, IN_TIME, BUSY, IN_TIME, BUSY], 5 + LOOKS_IN_TIME),
        ([OTHERS_ARE_BUSY, WORKS], LOOKS_IN_TIME),
    ],
)
async def test_so_many_looks_in_a_row_come_back_in_time(
    looks: Sequence[tuple[float, float]], taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = Loop(looks, monkeypatch)
    await until_loop_is_calm()
    assert loop.looks == taken


@pytest.mark.looptime
async def test_nobody_waits_longer_for_a_loop_that_is_never_calm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calm_loop, "LATE_S", -1.0)
    began_s = anyio.current_time()
    await until_loop_is_calm(3 * LOOK_EVERY_S)
    assert anyio.current_time() - began_s == pytest.approx(3 * LOOK_EVERY_S, abs=0.001)
