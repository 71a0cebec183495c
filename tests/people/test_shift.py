"""Who guesses at the door holds up nobody else there, over a day in simulated time."""

from __future__ import annotations

import pytest

from .people_rig import Door
from .shift_of_tries import ELSEWHERE, SCREENS, play

pytestmark = pytest.mark.asyncio

EACH_S = 15.0
"""One guess in so many seconds: often enough to be there whenever anything is free."""
OF_A_SOURCE = 20 + 24 * 60
"""As many as its bucket holds and gets in a day."""


@pytest.mark.parametrize("one_source", [False, True])
async def test_slips_of_a_shift_hold_up_nobody(door: Door, *, one_source: bool) -> None:
    day = await play(door, one_source=one_source)
    assert day.right.total() > 500
    assert day.refused.total() == 0


@pytest.mark.parametrize("attack", ["ids and PINs", "badges", "badges with PINs"])
async def test_who_guesses_elsewhere_holds_up_no_badge(door: Door, attack: str) -> None:
    day = await play(door, attack, source=ELSEWHERE, each_s=EACH_S)
    assert set(+day.refused) <= {"PIN alone"}
    if attack != "ids and PINs":
        assert day.refused.total() == 0


@pytest.mark.parametrize("attack", ["ids and PINs", "badges", "badges with PINs"])
@pytest.mark.parametrize("one_source", [False, True])
async def test_who_guesses_at_the_same_place_does_not_hold_up_badge_and_pin(
    door: Door, attack: str, *, one_source: bool
) -> None:
    day = await play(door, attack, source=SCREENS[0], each_s=EACH_S, one_source=one_source)
    assert day.right["badge and PIN"] > 200
    assert day.refused["badge and PIN"] == 0
    if attack == "ids and PINs":
        assert day.refused["badge alone"] == 0
    if attack != "badges with PINs":
        assert day.guesses <= OF_A_SOURCE
    assert day.behind_a_badge == 0


async def test_guessing_behind_a_stolen_badge_is_slow_and_meets_its_owner_alone(
    door: Door,
) -> None:
    day = await play(door, "PINs of one badge", each_s=EACH_S)
    assert 0 < day.behind_a_badge == day.guesses <= 120
    assert day.refused.total() == day.robbed
