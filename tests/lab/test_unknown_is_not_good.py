"""A dashboard whose racks don't tell says that nobody knows, and never that all is well."""

from __future__ import annotations

import json
import math
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import httpx2
import pytest

from benchd.lab.dashboards.sheet import ALL_RACKS, NEVER, NO_DATA, NONE
from benchd.observe.metrics import RackMetrics
from benchd.observe.storage_gauges import Folder
from tests.lab.figures import ASKS, NOW, WRITES, rack_in_figures
from tests.watchers import prometheus

FILES = sorted((Path(__file__).parents[2] / "configs" / "grafana" / "dashboards").glob("*.json"))
PANELS = [
    panel
    for file in FILES
    for panel in json.loads(file.read_text())["panels"]
    if panel["type"] in ("stat", "bargauge")
]
AT = (NOW + timedelta(hours=1)).timestamp()
SCRAPED = (AT - 240, AT - 120, AT)
GREY = "#808080"


class Tile(NamedTuple):
    """One tile or bar: its name, what it says and how it is coloured."""

    name: str
    text: str
    colour: str


def unknown(site: str, *, names_alone: bool = False) -> Tile:
    """What is said of rack `b` of a site; tiles that show their name alone say all in it."""
    return Tile(f"{site} b {NO_DATA}" if names_alone else f"{site} b", str(NO_DATA), GREY)


NO_RULES, ONLY_PROMETHEUS = "rules aren't read", "Prometheus knows no rack"
NEVER_DONE = "nothing was ever backed up"
AWAY, OTHER_VERSION = "one is away", "one is of another version"

Drawn = Mapping[tuple[str, str], list[Tile]]
"""By site and panel."""


def quiet(folder: Path) -> RackMetrics:
    """A rack on which nothing has happened, and nothing is wrong."""
    metrics = rack_in_figures(folder)
    metrics.read_from(views=dict, readers_up=lambda: [WRITES, ASKS], open_items=dict)
    return metrics


def busy(folder: Path) -> RackMetrics:
    """One that asks, and whose ledger doesn't hold."""
    metrics = rack_in_figures(folder)
    metrics.ledger.broken()
    return metrics


def folder_silent(folder: Path) -> RackMetrics:
    """A quiet one whose certificates' folder doesn't answer."""
    metrics = quiet(folder)
    (folder / "no folder").touch()
    metrics.storage.folders = {Folder.CERTIFICATES: folder / "no folder"}
    return metrics


def just_begun(folder: Path) -> RackMetrics:
    """One that nobody has backed up yet, and that has looked at no reader."""
    metrics = quiet(folder)
    metrics.ledger.read_from(last_backup=lambda: 0.0, last_verification=NOW.timestamp)
    metrics.read_from(readers_up=lambda: None)
    return metrics


Make = Callable[[Path], RackMetrics]
SITES: Mapping[str, tuple[Make, Make | None]] = {
    "all is well": (quiet, quiet),
    NO_RULES: (quiet, quiet),
    AWAY: (quiet, None),
    OTHER_VERSION: (quiet, None),
    "a folder is silent": (quiet, folder_silent),
    "trouble, and a folder is silent": (busy, folder_silent),
    "trouble, and one is away": (busy, None),
    NEVER_DONE: (just_begun, quiet),
}
"""What the racks `a` and `b` of a site tell."""


def samples(folder: Path) -> Iterator[tuple[str, str, Mapping[str, str], float]]:
    for site, told in SITES.items():
        for rack, make in zip("ab", told, strict=True):
            where = {"site": site, "rack": rack, "job": "benchd", "instance": f"{site} {rack}"}
            answers = make is not None or site == OTHER_VERSION
            yield "# TYPE up gauge", "up", where, float(answers)
            if answers and site != NO_RULES:
                watched = "instance:benchd_watched:up"
                yield f"# TYPE {watched} gauge", watched, where, 1
            for family in [] if make is None else make(folder).families():
                for each in family.samples:
                    head = f"# TYPE {family.name} {family.type}"
                    yield head, each.name, where | each.labels, each.value


def write_series(folder: Path) -> None:
    """Make Prometheus's own blocks of them in `folder/series`."""
    lines: dict[str, list[str]] = {}
    for head, name, labels, value in samples(folder):
        told = ",".join(f"{label}={json.dumps(word)}" for label, word in labels.items())
        lines.setdefault(head, []).extend(f"{name}{{{told}}} {value} {at:.0f}" for at in SCRAPED)
    text = [line for head, each in lines.items() for line in (head, *each)]
    (folder / "all.om").write_text("\n".join([*text, "# EOF\n"]))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", "all.om"]
    subprocess.run([*command, "series"], cwd=folder, check=True, capture_output=True)


def tiles(panel: Mapping[str, Any], answers: Sequence[tuple[str, Any]]) -> list[Tile]:
    """What Grafana makes of all answers in a panel of tiles or bars.

    Source: `getFieldDisplayValues`, `calculateLastNotNull`, `getDisplayProcessor` of @grafana/data.
    `answers` are what each query's series are called, and their series.
    """
    shown = panel["fieldConfig"]["defaults"]
    found = [
        _tile(shown, _named(legend, series["metric"]), float(series["value"][1]))
        for legend, told in answers
        for series in told
    ]
    return found or [_tile(shown, "", math.nan)]


def _named(legend: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda label: labels.get(label[1], ""), legend).strip()


def _tile(shown: Mapping[str, Any], name: str, value: float) -> Tile:
    mapped = _mapped(shown.get("mappings", []), value)
    below = [
        step["color"]
        for step in shown["thresholds"]["steps"]
        if step["value"] is None or value >= step["value"]
    ]
    text = "" if math.isnan(value) else f"{value:g}"
    return Tile(name, mapped.get("text") or text, mapped.get("color") or below[-1])


def _mapped(mappings: Sequence[Mapping[str, Any]], value: float) -> Mapping[str, str]:
    for mapping in mappings:
        options = mapping["options"]
        match mapping["type"]:
            case "special" if math.isnan(value) and options["match"] == "null":
                return options["result"]
            case "value" if f"{value:g}" in options:
                return options[f"{value:g}"]
            case "range" if options["from"] <= value <= options["to"]:
                return options["result"]
            case _:
                pass
    return {}


async def draw(folder: Path) -> Drawn:
    """Ask all of all sites, and of one that nobody has."""
    drawn: dict[tuple[str, str], list[Tile]] = {}
    async with prometheus(folder, "global: {scrape_interval: 1m}\n") as client:
        for site in (*SITES, ONLY_PROMETHEUS):
            for panel in PANELS:
                drawn[site, panel["title"]] = tiles(
                    panel,
                    [
                        (target["legendFormat"], await answer(client, target["expr"], site))
                        for target in panel["targets"]
                    ],
                )
    return drawn


async def answer(client: httpx2.AsyncClient, expression: str, site: str) -> list[Any]:
    filled = {"$__range": "5m", "$__interval": "1m", "$site": site, "$rack": ".*"}
    for name, value in filled.items():
        expression = expression.replace(name, value)
    got = await client.get("/api/v1/query", params={"query": expression, "time": str(AT)})
    return got.raise_for_status().json()["data"]["result"]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    folder = tmp_path_factory.mktemp("prometheus")
    write_series(folder)
    return anyio.run(draw, folder)


def titled(english: str) -> str:
    [found] = {p["title"] for p in PANELS if p["title"].endswith(f" / {english}")}
    return found


def says_none(panel: Mapping[str, Any]) -> bool:
    return any(target["legendFormat"] in map(str, (NONE, ALL_RACKS)) for target in panel["targets"])


def test_where_all_racks_are_well_it_is_said_and_green(drawn: Drawn) -> None:
    for panel in filter(says_none, PANELS):
        [tile] = drawn["all is well", panel["title"]]
        assert str(NONE) in (tile.name, tile.text), panel["title"]
        if panel["type"] == "stat":
            assert tile.colour == "green", panel["title"]


def test_where_no_rack_is_known_every_tile_is_grey_and_says_so(drawn: Drawn) -> None:
    for panel in PANELS:
        [tile] = drawn[ONLY_PROMETHEUS, panel["title"]]
        names_alone = panel["options"].get("textMode") == "name"
        assert (tile.name if names_alone else tile.text) == str(NO_DATA), panel["title"]
        assert tile.colour == GREY, panel["title"]


@pytest.mark.parametrize(("site", "but"), [(AWAY, "Broken"), (OTHER_VERSION, "Alerts")])
def test_where_one_rack_says_nothing_it_is_named_and_nothing_is_green(
    drawn: Drawn, site: str, but: str
) -> None:
    for panel in PANELS:
        told = drawn[site, panel["title"]]
        if says_none(panel) and panel["title"] != titled(but):
            names_alone = panel["options"].get("textMode") == "name"
            assert told == [unknown(site, names_alone=names_alone)], panel["title"]
        elif panel["title"] != titled(but):
            assert not {str(NONE), "green"}.intersection(word for tile in told for word in tile), (
                panel["title"]
            )


TOLD: dict[tuple[str, str], list[tuple[str | None, str | None, str]]] = {
    (AWAY, "Broken"): [("b  応答なし / silent", None, "red")],
    ("a folder is silent", "None lost"): [unknown("a folder is silent")],
    ("trouble, and a folder is silent", "None lost"): [
        ("台帳 / ledger", "1", "red"),
        unknown("trouble, and a folder is silent"),
    ],
    (NO_RULES, "Alerts"): [(None, None, GREY), (None, None, GREY)],
}
"""By site and panel: names, texts and colours that are not the same for all."""


@pytest.mark.parametrize(("site", "panel"), TOLD)
def test_what_is_unknown_is_never_good_and_hides_nothing(
    drawn: Drawn, site: str, panel: str
) -> None:
    told, wanted = drawn[site, titled(panel)], TOLD[site, panel]
    shown = [
        tuple(word if want is not None else None for word, want in zip(tile, row, strict=True))
        for tile, row in zip(told, wanted, strict=True)
    ]
    assert shown == wanted


def test_who_waits_is_told_although_another_rack_is_away(drawn: Drawn) -> None:
    site = "trouble, and one is away"
    longest, other = drawn[site, titled("Longest")]
    assert (longest.text, longest.colour, other) == ("3600", "red", unknown(site))
    slots = drawn[site, titled("Slots that wait for people")]
    assert [tile.colour for tile in slots] == ["orange", "orange", GREY]


def test_a_number_says_whose_it_is_and_who_is_silent() -> None:
    """Of a single value Grafana shows no name unless it is told to."""
    numbers = [panel for panel in PANELS if says_none(panel) and panel["type"] == "stat"]
    assert {panel["options"]["textMode"] for panel in numbers} == {"name", "value_and_name"}


def test_what_never_was_has_no_bar(drawn: Drawn) -> None:
    told = drawn[NEVER_DONE, titled("Age of the ledger's checks and copies")]
    never = [tile for tile in told if tile.text == str(NEVER)]
    assert [(tile.name, tile.colour) for tile in never] == [
        ("a バックアップ / backed up", "orange")
    ]
    [panel] = [each for each in PANELS if each["title"].startswith("台帳の検査")]
    assert panel["fieldConfig"]["defaults"]["min"] == 0
    [mapped] = [
        one for one in panel["fieldConfig"]["defaults"]["mappings"] if one["type"] == "value"
    ]
    assert all(float(number) < 0 for number in mapped["options"])


def test_readers_before_the_first_look_are_neither_well_nor_broken(drawn: Drawn) -> None:
    told = drawn[NEVER_DONE, titled("Broken")]
    assert [tile.colour for tile in told] == [GREY]


def test_no_panel_is_green_without_asking_whom_nobody_knows() -> None:
    for panel in PANELS:
        colours = {
            step["color"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        }
        if "green" in colours:
            assert any("* NaN" in target["expr"] for target in panel["targets"]), panel["title"]
