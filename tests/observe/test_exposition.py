"""What is written for Prometheus is, line by line, what its own library writes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import product

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
from prometheus_client.samples import Sample

from benchd.domain.ids import PortPath, SlotName
from benchd.domain.slot import SlotView, TransferView
from benchd.domain.slot_states import SlotState
from benchd.observe.exposition import HEADS_KEPT, OPEN_METRICS, Exposition
from benchd.observe.kept_samples import KeptCounter, KeptGauge, KeptHistogram
from benchd.observe.rack_gauges import RackGauges

ASKED = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"


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


def test_both_forms_are_as_the_library_writes_them(registry: CollectorRegistry) -> None:
    body, content_type = Exposition(registry).encode("text/html, */*")
    assert body.decode() == generate_latest(registry).decode()
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    body, content_type = Exposition(registry).encode(ASKED)
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


A1, B2 = SlotName("A1"), SlotName("B2")


BUCKETS = (0.1, 2, 7_200)


JOB = {"job": "j-1"}


@pytest.fixture
def kept() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> CollectorRegistry:
    monkeypatch.setattr(time, "time", lambda: 5.0)
    disable_created_metrics()
    return CollectorRegistry()


def both_forms(registry: CollectorRegistry) -> list[str]:
    exposition = Exposition(registry)
    return [exposition.encode(accept)[0].decode() for accept in ("", OPEN_METRICS)]


def as_the_library_writes(registry: CollectorRegistry) -> list[str]:
    return [write(registry).decode() for write in (generate_latest, generate_open_metrics)]


def test_a_kept_counter_says_what_the_librarys_says(
    kept: CollectorRegistry, theirs: CollectorRegistry
) -> None:
    own = KeptCounter("jobs", "Jobs", ("slot", "outcome"), registry=kept)
    other = Counter("jobs", "Jobs", ("slot", "outcome"), registry=theirs)
    own.arrange(product(("A1", "B2"), ("passed", "failed")))
    for values in product(("A1", "B2"), ("passed", "failed")):
        other.labels(*values)
    own.inc("A1", "passed", exemplar=JOB)
    other.labels("A1", "passed").inc(exemplar=JOB)
    own.inc("A1", "passed", by=1.5)
    other.labels("A1", "passed").inc(1.5)
    assert both_forms(kept) == as_the_library_writes(theirs)


def test_a_kept_histogram_says_what_the_librarys_says(
    kept: CollectorRegistry, theirs: CollectorRegistry
) -> None:
    own = KeptHistogram("took", "Time", ("stage",), registry=kept, buckets=BUCKETS)
    other = Histogram("took", "Time", ("stage",), registry=theirs, buckets=BUCKETS)
    for stage in ("fill", "check"):
        own.begin(stage)
        other.labels(stage)
    for seconds, exemplar in ((0.1, JOB), (1.0, None), (0.05, None), (9000.0, JOB), (7_200, None)):
        own.observe(seconds, "check", exemplar=exemplar)
        other.labels("check").observe(seconds, exemplar=exemplar)
    assert both_forms(kept) == as_the_library_writes(theirs)


def test_a_counter_keeps_its_counts_when_series_come_and_go(kept: CollectorRegistry) -> None:
    counter = KeptCounter("jobs", "Jobs", ("slot",), registry=kept)
    counter.arrange([("A1",), ("B2",)])
    counter.inc("A1")
    counter.inc("B2")
    counter.arrange([("A1",), ("C3",)])
    assert counts(kept) == {"A1": 1.0, "C3": 0.0}
    counter.arrange([("A1",), ("B2",)])
    assert counts(kept) == {"A1": 1.0, "B2": 0.0}


def test_a_counter_refuses_to_go_down(kept: CollectorRegistry) -> None:
    counter = KeptCounter("jobs", "Jobs", ("slot",), registry=kept)
    with pytest.raises(ValueError, match="only grows"):
        counter.inc("A1", by=-1)


def test_what_has_not_changed_is_not_written_again(kept: CollectorRegistry) -> None:
    counter = KeptCounter("jobs", "Jobs", ("slot",), registry=kept)
    counter.arrange([("A1",)])
    exposition = Exposition(kept)
    first = exposition.encode("")
    [family] = kept.collect()
    written = Counted(family.samples)
    family.samples = written
    assert exposition.encode("") == first
    assert written.reads == 0
    counter.inc("A1")
    assert b'jobs_total{slot="A1"} 1.0' in exposition.encode("")[0]
    assert written.reads == 1


def test_a_gauge_that_is_set_to_the_same_has_not_changed() -> None:
    gauge = KeptGauge("rate", "Rate", "slot")
    gauge.arrange([("A1",)])
    gauge.set(2.0, "A1")
    changes = gauge.family.changes
    gauge.set(2.0, "A1")
    assert gauge.family.changes == changes
    assert [sample.value for sample in gauge.family.samples] == [2.0]


def test_each_scrape_tells_the_slots_as_they_are_then() -> None:
    views = {A1: SlotView(slot=A1, port_path=PortPath("1-1"))}
    gauges = RackGauges([A1, B2])
    gauges.views = lambda: views
    assert states(gauges) == {("A1", "empty"), ("B2", "empty")}
    views[A1] = SlotView(
        slot=A1,
        port_path=PortPath("1-1"),
        state=SlotState.RUNNING,
        transfer=TransferView(bytes_done=7, bytes_per_s=3.5),
    )
    assert states(gauges) == {("A1", "running"), ("B2", "empty")}
    assert value(gauges, "benchd_slot_transfer_bytes") == 7
    assert value(gauges, "benchd_slot_transfer_bytes_per_second") == 3.5
    gauges.slots = (A1,)
    assert states(gauges) == {("A1", "running")}
    del views[A1]
    assert states(gauges) == {("A1", "empty")}
    assert value(gauges, "benchd_slot_transfer_bytes") == 0


class Counted(list[Sample]):
    """Counts who goes through it."""

    reads = 0

    def __iter__(self) -> Iterator[Sample]:
        self.reads += 1
        return super().__iter__()


def counts(registry: CollectorRegistry) -> dict[str, float]:
    [family] = registry.collect()
    return {sample.labels["slot"]: sample.value for sample in family.samples}


def states(gauges: RackGauges) -> set[tuple[str, str]]:
    told = samples_of(gauges, "benchd_slot_state")
    return {(one.labels["slot"], one.labels["state"]) for one in told if one.value}


def value(gauges: RackGauges, name: str) -> float:
    return next(one.value for one in samples_of(gauges, name) if one.labels["slot"] == "A1")


def samples_of(gauges: RackGauges, name: str) -> Iterable[Sample]:
    return next(family.samples for family in gauges.collect() if family.name == name)
