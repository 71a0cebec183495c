"""Buckets by seconds that pass when they are told to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchd.domain.token_bucket import Buckets
from tests.people.people_rig import HandSeconds

STOCK, SHOP = "stock", "shop"


def buckets(per_minute: int, seconds: HandSeconds, most: int = 8) -> Buckets[str]:
    return Buckets(per_s=per_minute / 60, at_once=per_minute, most=most, now=seconds)


def test_a_full_bucket_then_one_each_so_many_seconds() -> None:
    seconds = HandSeconds()
    each = buckets(6, seconds)
    assert [each.take_or_wait_s(STOCK) for _ in range(7)] == [0, 0, 0, 0, 0, 0, pytest.approx(10)]
    seconds.s += 4
    assert each.take_or_wait_s(STOCK) == pytest.approx(6)
    seconds.s += 6
    assert each.take_or_wait_s(STOCK) == 0
    assert each.take_or_wait_s(STOCK) == pytest.approx(10)
    seconds.s += 3600
    assert sum(each.take_or_wait_s(STOCK) == 0 for _ in range(60)) == 6


def test_one_takes_nothing_from_another() -> None:
    each = buckets(1, HandSeconds())
    assert (each.take_or_wait_s(STOCK), each.take_or_wait_s(STOCK) > 0) == (0, True)
    assert each.take_or_wait_s(SHOP) == 0


@given(
    per_minute=st.integers(1, 600),
    pauses=st.lists(st.floats(0, 90, allow_nan=False), min_size=1, max_size=200),
)
def test_never_more_than_a_bucket_and_what_has_filled_since(
    per_minute: int, pauses: list[float]
) -> None:
    seconds = HandSeconds(0.0)
    each = buckets(per_minute, seconds)
    served = 0
    for pause in pauses:
        seconds.s += pause
        wait_s = each.take_or_wait_s(STOCK)
        served += wait_s == 0
        assert 0 <= wait_s <= 60 / per_minute + 1e-6
    assert served <= per_minute + seconds.s * per_minute / 60 + 1e-6
    assert len(each) == 1


def test_looking_takes_nothing() -> None:
    each = buckets(1, HandSeconds())
    assert [each.wait_s(STOCK) for _ in range(3)] == [0, 0, 0]
    each.take_or_wait_s(STOCK)
    assert [each.wait_s(STOCK) for _ in range(3)] == [60, 60, 60]
    assert each.wait_s(SHOP) == 0
    assert len(each) == 1


def test_who_has_taken_last_is_forgotten_last() -> None:
    each = buckets(1, HandSeconds(), most=2)
    for name in ("a", "b", "a", "c"):
        each.take_or_wait_s(name)
    assert [each.wait_s(name) > 0 for name in ("a", "b", "c")] == [True, False, True]
