"""Pictures of the dashboards: what they are asked with, drawn from, and that they are today's."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from benchd.config.model_files import read_models, shipped_models
from benchd.lab.dashboards.drawing.album import ALBUM, DASHBOARDS, DRAWN_FROM, digests
from benchd.lab.dashboards.drawing.bundle import PAGE
from benchd.lab.dashboards.drawing.query_answers import Span, filled_in
from benchd.lab.dashboards.drawing.week_source import key_of, metrics_of
from benchd.lab.dashboards.week.openmetrics import week
from benchd.lab.dashboards.week.week_plan import BEGINS, ENDS, MODELS, RACKS, Alert

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "screenshots"
FILES = sorted(DASHBOARDS.glob("*.json"))
HALF_A_DAY = Span(begin_s=0, end_s=12 * 3600)
ALL = {"site": ".*", "rack": "rack-1|rack-2"}
MOST_BYTES = 200_000


FILLED = {
    'increase(x{site=~"$site",rack=~"${rack:regex}"}[$__range])': (
        'increase(x{site=~".*",rack=~"rack-1|rack-2"}[43200s])'
    ),
    "[$__range:$__interval]": "[43200s:60s]",
    'label_replace(x, "a", "$1", "b", "(.)")': 'label_replace(x, "a", "$1", "b", "(.)")',
}


def test_variables_are_filled_in_as_grafana_does_and_one_that_nobody_has_is_no_empty_text() -> None:
    for asked, filled in FILLED.items():
        assert filled_in(asked, HALF_A_DAY, 60, ALL) == filled
    # A rate is taken over four scrapes at least.
    for step, told in ((15, "60s"), (60, "75s"), (300, "315s")):
        assert filled_in("$__rate_interval", HALF_A_DAY, step, ALL) == told
    with pytest.raises(KeyError, match="slot"):
        filled_in("x{slot=~'$slot'}", HALF_A_DAY, 60, ALL)


def test_steps_are_round_and_no_finer_than_what_was_scraped() -> None:
    assert HALF_A_DAY.step_s(points=900) == 60
    assert HALF_A_DAY.step_s(points=100_000) == 15
    assert Span(begin_s=0, end_s=7 * 86400).step_s(points=450) == 1800


def test_every_kind_of_panel_has_a_drawing() -> None:
    table = (PAGE / "panel.jsx").read_text().partition("DRAWN_BY = {")[2].partition("}")[0]
    drawn = {name.strip("' ") for name in re.findall(r"^\s+('?[\w-]+'?):", table, re.MULTILINE)}
    used = {panel["type"] for file in FILES for panel in json.loads(file.read_text())["panels"]}
    assert used == drawn


def test_what_is_wanted_of_npm_is_pinned_to_the_version() -> None:
    wanted = json.loads((PAGE / "package.json").read_text())["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values()), wanted


def test_the_pictures_are_of_these_dashboards() -> None:
    """If this fails: scripts/dashboard-pictures, and look at what it has drawn."""
    assert (PICTURES / DRAWN_FROM).read_text() == digests(FILES)
    assert {picture.uid for picture in ALBUM} == {file.stem for file in FILES}
    assert {file.name for file in PICTURES.glob("grafana-*.png")} == {one.name for one in ALBUM}
    for picture in ALBUM:
        assert (PICTURES / picture.name).stat().st_size <= MOST_BYTES, picture.name


def test_the_week_is_what_promtool_takes_and_holds_all_that_is_asked_for(tmp_path: Path) -> None:
    names = metrics_of(FILES)
    catalogue = read_models([shipped_models()])
    [file] = week(tmp_path, catalogue, names, until=BEGINS + timedelta(minutes=12))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
    subprocess.run([*command, file, tmp_path / "series"], check=True, capture_output=True)
    told = set(re.findall(r"^([\w:]+)\{", file.read_text(), re.MULTILINE))
    # Nothing fires in its first minutes, and large families of counters stand at zero.
    assert {name for name in names - told if not name.endswith("_total")} == {"ALERTS"}
    assert key_of(names) != key_of(told)


def test_the_week_sets_off_alerts_that_there_are() -> None:
    rules = ROOT / "configs" / "prometheus" / "rules"
    groups = [
        group
        for name in ("rack.yml", "service.yml")
        for group in yaml.safe_load((rules / name).read_text())["groups"]
    ]
    assert set(Alert) <= {rule.get("alert") for group in groups for rule in group["rules"]}


def test_what_goes_wrong_in_the_week_is_in_it_and_in_its_racks() -> None:
    for rack in RACKS:
        for slot, begins in filter(None, (rack.bad_cable, rack.dead_reader, rack.out_of_use)):
            assert slot in rack.slots
            assert BEGINS < begins < ENDS
    catalogue = read_models([shipped_models()])
    unknown = [model.code for model in MODELS if catalogue.of_code(model.code) is None]
    assert unknown == ["not in the catalogue"]
