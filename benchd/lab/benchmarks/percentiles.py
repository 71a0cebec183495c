"""Percentiles: of values, and of a Prometheus histogram."""

from __future__ import annotations

import math
from collections.abc import Sequence

from prometheus_client.parser import text_string_to_metric_families


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all doesn't exceed (nearest rank)."""
    if not values:
        return math.nan
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def histogram_percentile(exposition: str, name: str, share: float) -> float:
    """An upper bound: the top of the bucket that the percentile lies in."""
    buckets: list[tuple[float, float]] = []
    for family in text_string_to_metric_families(exposition):
        if family.name == name:
            buckets = [
                (float(sample.labels["le"]), sample.value)
                for sample in family.samples
                if sample.name == f"{name}_bucket"
            ]
    buckets.sort()
    if not buckets or buckets[-1][1] == 0:
        return math.nan
    wanted = share * buckets[-1][1]
    return next(top for top, count in buckets if count >= wanted)


def histogram_count(exposition: str, name: str) -> int:
    """How many values a histogram has been told; 0 where there is none."""
    for family in text_string_to_metric_families(exposition):
        if family.name == name:
            return int(sum(s.value for s in family.samples if s.name == f"{name}_count"))
    return 0
