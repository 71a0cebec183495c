"""How long the pause is after so many tries, to the second."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from benchd.people.login_throttle import (
    FIRST_PAUSE_S,
    FORGOTTEN_AFTER_S,
    FREE_TRIES,
    LONGEST_PAUSE_S,
    Tries,
    Whom,
)

MORI = Whom(name="mori", is_known=True)


@dataclass
class Seconds:
    s: float = 0.0

    def __call__(self) -> float:
        return self.s


def failed(tries: Tries, times: int) -> None:
    for number in range(times):
        tries.failed(MORI, f"source {number}")


@pytest.mark.parametrize(
    ("times", "pause_s"),
    [
        (FREE_TRIES - 1, 0.0),
        (FREE_TRIES, FIRST_PAUSE_S),
        (FREE_TRIES + 1, 2 * FIRST_PAUSE_S),
        (FREE_TRIES + 5, 32 * FIRST_PAUSE_S),
        (FREE_TRIES + 2000, LONGEST_PAUSE_S),
    ],
)
def test_each_failure_doubles_the_pause_up_to_the_longest(times: int, pause_s: float) -> None:
    tries = Tries(Seconds())
    failed(tries, times)
    assert tries.wait_s(MORI) == pause_s


def test_a_pause_ends_when_it_is_over() -> None:
    now = Seconds(100.0)
    tries = Tries(now)
    failed(tries, FREE_TRIES)
    now.s += FIRST_PAUSE_S - 0.5
    assert tries.wait_s(MORI) == 0.5
    now.s += 1
    assert tries.wait_s(MORI) == 0


@pytest.mark.parametrize("more_s", [0.0, 1.0])
def test_failures_are_forgotten_after_a_day_without_one(more_s: float) -> None:
    now = Seconds()
    tries = Tries(now)
    failed(tries, FREE_TRIES)
    now.s += FORGOTTEN_AFTER_S + more_s
    failed(tries, 1)
    assert tries.wait_s(MORI) == (0.0 if more_s else 2 * FIRST_PAUSE_S)


def test_who_has_shown_who_they_are_begins_anew() -> None:
    tries = Tries(Seconds())
    failed(tries, FREE_TRIES)
    tries.succeeded(MORI)
    failed(tries, FREE_TRIES - 1)
    assert tries.wait_s(MORI) == 0
