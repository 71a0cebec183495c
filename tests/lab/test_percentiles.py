from __future__ import annotations

import math

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from benchd.lab.benchmarks.percentiles import (
    histogram_count,
    histogram_percentile,
    percentile,
)


@pytest.mark.parametrize(
    ("values", "share", "wanted"),
    [
        ([5.0], 0.99, 5.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([float(n) for n in range(1, 101)], 1.0, 100.0),
    ],
)
def test_percentile_is_a_value_that_was_measured(
    values: list[float], share: float, wanted: float
) -> None:
    assert percentile(values, share) == wanted


def test_nothing_measured_is_no_figure() -> None:
    assert math.isnan(percentile([], 0.5))
    assert math.isnan(histogram_percentile("", "lag_seconds", 0.99))
    assert histogram_count("", "lag_seconds") == 0


def test_a_histogram_gives_the_top_of_the_bucket() -> None:
    registry = CollectorRegistry()
    lag = Histogram("lag_seconds", "lag", registry=registry, buckets=(0.01, 0.02, 0.05))
    for _ in range(98):
        lag.observe(0.001)
    lag.observe(0.015)
    lag.observe(0.3)
    told = generate_latest(registry).decode()
    assert histogram_count(told, "lag_seconds") == 100
    assert histogram_percentile(told, "lag_seconds", 0.5) == 0.01
    assert histogram_percentile(told, "lag_seconds", 0.99) == 0.02
    assert histogram_percentile(told, "lag_seconds", 1.0) == math.inf
