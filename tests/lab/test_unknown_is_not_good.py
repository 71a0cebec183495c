"""A dashboard whose racks don't tell says that nobody knows, and never that all is well."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from benchd.lab.dashboards.sheet import NO_DATA, NONE
from benchd.observe.metrics import RackMetrics
from benchd.observe.storage_gauges import Folder
from tests.lab.drawn_tiles import Tile, tiles
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
B_UNKNOWN = Tile("b", str(NO_DATA), GREY)
B_UNNAMED = Tile(f"b {NO_DATA}", str(NO_DATA), GREY)
"""Of tiles that show their name alone."""
NO_RULES, ONLY_PROMETHEUS = "rules aren't read", "Prometheus knows no rack"
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


Make = Callable[[Path], RackMetrics]
SITES: Mapping[str, tuple[Make, Make | None]] = {
    "all is well": (quiet, quiet),
    NO_RULES: (quiet, quiet),
    AWAY: (quiet, None),
    OTHER_VERSION: (quiet, None),
    "a folder is silent": (quiet, folder_silent),
    "trouble, and a folder is silent": (busy, folder_silent),
    "trouble, and one is away": (busy, None),
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
    return any(target["legendFormat"] == str(NONE) for target in panel["targets"])


def test_where_all_racks_are_well_it_is_said_and_green(drawn: Drawn) -> None:
    for panel in filter(says_none, PANELS):
        [tile] = drawn["all is well", panel["title"]]
        assert tile.name == str(NONE), panel["title"]
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
            assert told in ([B_UNKNOWN], [B_UNNAMED]), panel["title"]
        elif panel["title"] != titled(but):
            assert not {str(NONE), "green"}.intersection(word for tile in told for word in tile), (
                panel["title"]
            )


def test_a_rack_that_is_away_is_broken(drawn: Drawn) -> None:
    [tile] = drawn[AWAY, titled("Broken")]
    assert (tile.name, tile.colour) == ("b  応答なし / silent", "red")


def test_a_figure_that_is_no_number_is_not_good(drawn: Drawn) -> None:
    assert drawn["a folder is silent", titled("None lost")] == [B_UNKNOWN]


def test_what_is_lost_is_told_although_another_rack_does_not_know(drawn: Drawn) -> None:
    told = drawn["trouble, and a folder is silent", titled("None lost")]
    assert told == [Tile("台帳 / ledger", "1", "red"), B_UNKNOWN]


def test_alerts_are_unknown_where_no_rule_is_evaluated(drawn: Drawn) -> None:
    told = drawn[NO_RULES, titled("Alerts")]
    assert [tile.colour for tile in told] == [GREY, GREY]


def test_who_waits_is_told_although_another_rack_is_away(drawn: Drawn) -> None:
    site = "trouble, and one is away"
    longest, unknown = drawn[site, titled("Longest")]
    assert (longest.text, longest.colour, unknown) == ("3600", "red", B_UNKNOWN)
    slots = drawn[site, titled("Slots that wait for people")]
    assert [tile.colour for tile in slots] == ["orange", "orange", GREY]


def test_no_panel_is_green_without_asking_whom_nobody_knows() -> None:
    for panel in PANELS:
        colours = {
            step["color"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        }
        if "green" in colours:
            assert any("* NaN" in target["expr"] for target in panel["targets"]), panel["title"]
