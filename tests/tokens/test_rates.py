"""How often a token may ask, by seconds that pass when they are told to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchd.tokens.rates import Rates
from benchd.words.token import TokenName
from tests.people.people_rig import HandSeconds

STOCK, SHOP = TokenName("stock"), TokenName("shop")


def test_a_full_bucket_then_one_each_so_many_seconds() -> None:
    seconds = HandSeconds()
    rates = Rates(6, seconds)
    assert [rates.wait_s(STOCK) for _ in range(7)] == [0, 0, 0, 0, 0, 0, pytest.approx(10)]
    seconds.s += 4
    assert rates.wait_s(STOCK) == pytest.approx(6)
    seconds.s += 6
    assert rates.wait_s(STOCK) == 0
    assert rates.wait_s(STOCK) == pytest.approx(10)
    seconds.s += 3600
    assert sum(rates.wait_s(STOCK) == 0 for _ in range(60)) == 6


def test_one_takes_nothing_from_another() -> None:
    rates = Rates(1, HandSeconds())
    assert (rates.wait_s(STOCK), rates.wait_s(STOCK) > 0) == (0, True)
    assert rates.wait_s(SHOP) == 0


@given(
    per_minute=st.integers(1, 600),
    pauses=st.lists(st.floats(0, 90, allow_nan=False), min_size=1, max_size=200),
)
def test_never_more_than_a_bucket_and_what_has_filled_since(
    per_minute: int, pauses: list[float]
) -> None:
    seconds = HandSeconds(0.0)
    rates = Rates(per_minute, seconds)
    served = 0
    for pause in pauses:
        seconds.s += pause
        wait_s = rates.wait_s(STOCK)
        served += wait_s == 0
        assert 0 <= wait_s <= 60 / per_minute + 1e-6
    assert served <= per_minute + seconds.s * per_minute / 60 + 1e-6
    assert len(rates._buckets) == 1
