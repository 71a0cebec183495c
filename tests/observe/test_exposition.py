"""What is written for Prometheus is, line by line, what its own library writes."""

from __future__ import annotations

import pytest
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_open_metrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from benchd.observe.exposition import HEADS_KEPT, Exposition

OPEN_METRICS = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
HOSTILE = 'a"b\\c\nd 消去'


@pytest.fixture
def registry() -> CollectorRegistry:
    disable_created_metrics()
    registry = CollectorRegistry()
    Info("build", "The build", registry=registry).info({"version": "1", "commit": HOSTILE})
    jobs = Counter("jobs", f"Jobs: {HOSTILE}", ("slot", "outcome"), registry=registry)
    jobs.labels("A1", "passed").inc(exemplar={"job": "j-1"})
    jobs.labels(HOSTILE, "failed").inc(1e21)
    took = Histogram("took_seconds", "Time", ("stage",), registry=registry, buckets=(0.1, 2))
    took.labels("overwrite").observe(1.5, exemplar={"job": "j-2"})
    rate = Gauge("rate", "Rate", registry=registry)
    rate.set(float("nan"))
    Gauge("low", "Low", registry=registry).set(float("-inf"))
    Gauge("whole", "Whole", registry=registry).set(5)
    return registry


def test_text_is_as_the_library_writes_it(registry: CollectorRegistry) -> None:
    body, content_type = Exposition(registry).encode("text/html, */*")
    assert body.decode() == generate_latest(registry).decode()
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"


def test_open_metrics_are_as_the_library_writes_them(registry: CollectorRegistry) -> None:
    body, content_type = Exposition(registry).encode(OPEN_METRICS)
    assert body.decode() == generate_open_metrics(registry).decode()
    assert content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    [job] = [s for s in families["jobs"].samples if s.labels["slot"] == "A1"]
    assert job.exemplar is not None
    assert job.exemplar.labels == {"job": "j-1"}


def test_more_series_than_are_kept_are_still_all_told(registry: CollectorRegistry) -> None:
    many = Gauge("many", "Many", ("number",), registry=registry)
    exposition = Exposition(registry)
    for number in range(HEADS_KEPT + 10):
        many.labels(str(number)).set(number)
    body, _ = exposition.encode("")
    assert body.decode() == generate_latest(registry).decode()
    assert len(exposition._heads) <= HEADS_KEPT
