"""The small parts of benchmarks: a crowd's pace and storage, whose a line is, percentiles."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from benchd.domain.errors import UsageRefused
from benchd.domain.imei import is_imei
from benchd.lab.benchmarks.crowd.compared import (
    Ratio,
    compared,
    median_of_ratios,
    ratio_of_medians,
)
from benchd.lab.benchmarks.crowd.crowd_pace import CrowdPace, Drawn, read_pace
from benchd.lab.benchmarks.crowd.latencies import Steps
from benchd.lab.benchmarks.crowd.measure import Measured
from benchd.lab.benchmarks.crowd.places import plan_of, slot_name, slot_number
from benchd.lab.benchmarks.crowd.sampling import LOOP, place_of
from benchd.lab.benchmarks.crowd.storage import Storage
from benchd.lab.benchmarks.percentiles import (
    histogram_count,
    histogram_percentile,
    percentile,
)
from benchd.lab.demo.rack_daemon import AS_THE_UNIT


def test_a_daemon_that_is_measured_has_as_many_heaps_as_the_unit_gives_it() -> None:
    unit = (Path(__file__).parents[3] / "systemd" / "benchd.service").read_text()
    lines = [line for line in unit.splitlines() if line.startswith("Environment=MALLOC_")]
    assert lines == [f"Environment={name}={value}" for name, value in AS_THE_UNIT.items()]


@pytest.mark.parametrize(
    ("ratio", "base", "expected"),
    [
        (median_of_ratios, (1, 2, 4), 3.0),
        (ratio_of_medians, (1, 2, 4), 4.5),
        (median_of_ratios, (0, 2, 0), 5.0),
        (median_of_ratios, (0, 0, 0), None),
        (ratio_of_medians, (0, 0, 4), None),
    ],
)
def test_a_figure_is_compared_over_rounds(
    ratio: Ratio, base: tuple[int, ...], expected: float | None
) -> None:
    def measured(*values: float) -> list[Measured]:
        return [Measured(count=1, figures={"wall_s": value}, raw={}) for value in values]

    found = {"quiet": measured(*base), "among": measured(3, 10, 9)}
    told = compared("wall_s", found, base="quiet", ratios={"among": "ratio"}, ratio=ratio)
    assert told == {"quiet": sorted(base)[1], "among": 9.0, "ratio": expected}


def test_a_pace_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pace.toml"
    file.write_text("answer_s = 0.05\njitter = 0.2\n")
    assert read_pace(file) == CrowdPace(answer_s=0.05, jitter=0.2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("answer_s = -1\n", "times are 0 or more"),
        ("jitter = 1\n", "jitter less than 1"),
        ("answers_s = 1\n", "answers_s isn't among"),
        ("answer_s = 'soon'\n", "valid number"),
        ("answer_s\n", "is no TOML"),
    ],
)
def test_a_pace_that_is_none_is_refused_with_what_is_wrong(
    tmp_path: Path, text: str, why: str
) -> None:
    file = tmp_path / "pace.toml"
    file.write_text(text)
    with pytest.raises(UsageRefused, match=why):
        read_pace(file)
    with pytest.raises(UsageRefused, match="name a file of times"):
        read_pace(tmp_path / "none.toml")


def test_times_are_drawn_around_the_pace_and_the_same_for_the_same_seed() -> None:
    pace = CrowdPace(jitter=0.5)
    drawn = [Drawn(pace).around(1.0) for _ in range(2)]
    assert drawn[0] == drawn[1]
    once = Drawn(pace)
    assert all(0.5 <= once.around(1.0) <= 1.5 for _ in range(100))


def test_a_fill_takes_all_room_in_files_that_follow_each_other_and_half_a_fill_the_same() -> None:
    storage = Storage()
    planned = storage.planned(1 << 30, 256 << 20)
    storage.hold(planned, planned[0].size_bytes + 4096)
    assert storage.planned(1 << 30, 256 << 20) == planned
    storage.hold(planned, sum(file.size_bytes for file in planned))
    assert storage.free_bytes == 0
    assert [file.stream_offset for file in planned] == [n << 30 for n in range(len(planned))]
    assert [file.name[:4] for file in planned] == ["fill"] * (len(planned) - 1) + ["tail"]


def test_every_handset_of_a_crowd_has_an_imei_of_its_own() -> None:
    handsets = plan_of(1000, CrowdPace()).handsets
    assert len({handset.imei for handset in handsets}) == 1000
    assert all(is_imei(handset.imei) for handset in handsets)
    assert slot_number(slot_name(1000)) == 1000


def test_people_are_left_out_of_a_latency_as_far_as_they_were_waited_for() -> None:
    steps = Steps(asked=[1.0, 3.0, 9.0], decided=[2.0, 8.0, 10.0])
    assert steps.waited_for_people_s(until=5.0) == 1.0 + 2.0


def test_time_without_a_line_of_the_house_is_the_loops() -> None:
    part, line = place_of(sys._getframe())
    assert part == LOOP
    assert line.endswith("test_time_without_a_line_of_the_house_is_the_loops")


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
