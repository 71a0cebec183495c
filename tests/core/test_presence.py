"""How long a handset was away: by the times of the port's events, not by when they are heard."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from benchd.domain.ids import ANDROID, DeviceAddress, PortPath
from benchd.domain.port import Absence, Attached, Detached
from benchd.slots.presence import Presence

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


async def absence_of(*events: Attached | Detached, heard_every_s: float = 1.0) -> Absence:
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
        absence = await absence_of(gone(101.5), AFTER, heard_every_s=heard_every_s)
        assert (absence.left, absence.returned, absence.absent_s) == (True, True, 43.5)


async def test_a_restart_that_is_heard_late_is_no_reset() -> None:
    absence = await absence_of(gone(143.0), AFTER, heard_every_s=30.0)
    assert absence.absent_s == 2.0


async def test_the_longest_of_two_absences_counts_and_more_interfaces_are_none() -> None:
    more = replace(AFTER, interfaces=frozenset({"ff4201"}), at_s=400.0)
    again = replace(AFTER, attachment="3", at_s=450.0)
    absence = await absence_of(gone(105.0), AFTER, more, gone(445.0), again)
    assert absence.absent_s == 40.0


async def test_an_enumeration_without_a_departure_is_an_absence_of_no_length() -> None:
    assert (await absence_of(AFTER)).absent_s == 0.0


async def test_times_that_contradict_each_other_are_no_absence() -> None:
    assert (await absence_of(gone(200.0), AFTER)).absent_s == 0.0
