"""The dashboards for Grafana: as their sheets say, in both languages, and with data."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml

from benchd.domain.job import Disposition
from benchd.domain.slot_states import SlotState
from benchd.lab.dashboards.grafana import dashboard_text
from benchd.lab.dashboards.sheet import FLEET, NO_DATA
from benchd.lab.dashboards.sheets import SHEETS
from benchd.lab.demo.demo_rack import loopback_listener
from benchd.texts.catalogue import Catalogue
from benchd.web.server import serve
from tests.free_port import free_port
from tests.lab.figures import a_shift_goes_by, rack_in_figures
from tests.watchers import prometheus, until
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack

GRAFANA = Path(__file__).parents[2] / "configs" / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")
ENDS = [(SlotState.FINISHED, one) for one in Disposition]
CONFIG = """\
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: benchd
    static_configs:
      - {{targets: ["127.0.0.1:{port}"], labels: {{site: s, rack: r}}}}
      - {{targets: ["127.0.0.1:{nobody}"], labels: {{site: s, rack: away}}}}
rule_files: [always.yml]
"""
ALWAYS = """\
groups:
  - name: always
    interval: 200ms
    rules:
      - {alert: Always, expr: vector(1), labels: {site: s, rack: r}}
      - {record: "instance:benchd_watched:up", expr: up == 1}
"""
FILLED_IN = {"$__range": "5m", "$__interval": "200ms", "$site": ".*", "$rack": ".*"}
"""What Grafana puts in for its variables."""
TIMELINE, LINES, BARS = "state-timeline", "timeseries", "bargauge"
MOST_SLOTS = 128


def panels() -> Iterator[dict[str, Any]]:
    for file in FILES:
        yield from json.loads(file.read_text())["panels"]


def expressions() -> Iterator[str]:
    for panel in panels():
        for target in panel["targets"]:
            yield target["expr"]


def test_the_files_are_as_the_sheets_say() -> None:
    """If this fails: scripts/dashboards."""
    told = {f"{sheet.uid}.json": dashboard_text(sheet) for sheet in SHEETS}
    assert {file.name: file.read_text() for file in FILES} == told


def test_each_panel_has_a_title_a_sentence_and_names_in_both_languages() -> None:
    for panel in panels():
        for text, ends in ((panel["title"], ("", "")), (panel["description"], ("。", "."))):
            japanese, _, english = text.partition(" / ")
            assert JAPANESE.search(japanese) or japanese == "FeliCa", text
            assert re.search(r"[a-z]", english), text
            assert not JAPANESE.search(english), text
            assert (japanese.endswith(ends[0]), english.endswith(ends[1])) == (True, True), text
        for override in panel["fieldConfig"]["overrides"]:
            told = {each["id"]: each["value"] for each in override["properties"]}
            japanese, _, english = told["displayName"].partition(" / ")
            assert JAPANESE.search(japanese), told
            assert re.search(r"[A-Za-z]", english), told


def test_no_two_panels_of_a_dashboard_lie_on_each_other() -> None:
    for file in FILES:
        taken: set[tuple[int, int]] = set()
        for panel in json.loads(file.read_text())["panels"]:
            at = panel["gridPos"]
            fields = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            assert max(x for x, _ in fields) < 24
            assert not fields & taken, (file.name, panel["title"])
            taken |= fields


def test_each_query_asks_only_for_the_chosen_racks() -> None:
    for file in FILES:
        dashboard = json.loads(file.read_text())
        names = [variable["name"] for variable in dashboard["templating"]["list"]]
        assert names == ["datasource", "site", "rack"]
    for expression in expressions():
        series = re.findall(r"(?:benchd_\w+|process_\w+|\bup|ALERTS)\{([^}]*)\}", expression)
        assert series, expression
        assert all(each.startswith(FLEET) for each in series), expression


def test_each_kind_of_panel_is_drawn_so_that_nothing_is_hidden_or_mistaken() -> None:
    kinds = set[str]()
    for panel in panels():
        kind, title = panel["type"], panel["title"]
        shown, options = panel["fieldConfig"]["defaults"], panel["options"]
        kinds.add(kind)
        if kind in (TIMELINE, LINES):
            assert options["legend"]["showLegend"] is True, title
        if kind == LINES:
            assert shown["color"]["mode"] == "palette-classic"
        if kind == TIMELINE:
            # No slot of the largest rack is hidden on a further page.
            assert options["perPage"] >= MOST_SLOTS, title
        if kind == BARS:
            # A single bar does not fill its panel.
            assert (options["sizing"], options["maxVizHeight"] < 60) == ("manual", True)
        # Prometheus extrapolates: eleven handsets come out as 11.1.
        assert shown["unit"] != "short" or shown["decimals"] == 0, title
    assert kinds >= {TIMELINE, LINES, BARS}


def test_a_tile_of_names_is_grey_green_or_in_the_colour_of_what_it_names() -> None:
    named = [panel for panel in panels() if panel["options"].get("textMode") == "name"]
    assert named
    for panel in named:
        lowest, none, some = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert (lowest, none["value"], none["color"]) == (
            {"color": "#808080", "value": None},
            0,
            "green",
        )
        assert some["value"] == 1


def test_what_is_no_number_or_not_there_is_grey_and_says_so_in_every_panel() -> None:
    """Also the gaps of a timeline; Grafana would take the colour of the lowest threshold."""
    for panel in panels():
        shown = panel["fieldConfig"]["defaults"]
        special = [each["options"] for each in shown["mappings"] if each["type"] == "special"]
        grey = {"text": str(NO_DATA), "color": "#808080"}
        assert special == [{"match": "null", "result": grey}, {"match": "nan", "result": grey}]
        assert shown["noValue"] == str(NO_DATA), panel["title"]


def test_what_provisions_grafana_and_prometheus_fits_the_dashboards() -> None:
    provisioning = GRAFANA / "provisioning"
    told = yaml.safe_load((provisioning / "datasources" / "benchd.yml").read_text())
    assert [source["type"] for source in told["datasources"]] == ["prometheus"]
    told = yaml.safe_load((provisioning / "dashboards" / "benchd.yml").read_text())
    assert [provider["type"] for provider in told["providers"]] == ["file"]
    scraped = yaml.safe_load((GRAFANA.parent / "prometheus" / "prometheus.yml").read_text())
    [target] = scraped["scrape_configs"][0]["static_configs"]
    assert target["labels"].keys() == {"site", "rack"}


@pytest.mark.asyncio
async def test_each_query_has_data_once_a_rack_was_scraped(tmp_path: Path) -> None:
    metrics, stop, port = rack_in_figures(tmp_path), anyio.Event(), free_port()
    (tmp_path / "always.yml").write_text(ALWAYS)
    app = app_of(FakeRack(), Catalogue.load(), scrape=metrics.expose)
    empty: list[str] = []
    with loopback_listener(port) as listener:
        async with (
            anyio.create_task_group() as group,
            prometheus(tmp_path, CONFIG.format(port=port, nobody=free_port())) as client,
        ):
            await group.start(partial(serve, app, sockets=[listener], stop=stop))
            await until(client, "benchd_jobs_total == 0")
            a_shift_goes_by(metrics)
            await until(client, "benchd_jobs_total == 1")
            await until(client, 'ALERTS{alertstate="firing"}')
            # What panels ask beside, of racks that tell nothing, is in test_unknown_is_not_good.py.
            own = {
                query.expr for sheet in SHEETS for panel in sheet.panels for query in panel.queries
            }
            for expression in sorted(own):
                filled = expression
                for name, value in FILLED_IN.items():
                    filled = filled.replace(name, value)
                # A scrape that a busy machine has missed leaves nothing until the next.
                try:
                    await until(client, filled, within_s=5)
                except TimeoutError:
                    empty.append(filled)
            stop.set()
            group.cancel_scope.cancel()
    assert empty == []


def test_on_a_timeline_green_is_what_may_be_sold_or_answers_and_nothing_else() -> None:
    """A slot that has finished says where its handset goes; one that doesn't say is no green."""
    greens: dict[str, set[str]] = {}
    for panel in panels():
        if panel["type"] == TIMELINE:
            told = panel["fieldConfig"]["defaults"]["mappings"]
            [named] = [each["options"] for each in told if each["type"] == "value"]
            colours = [each["color"] for each in named.values()]
            assert len(colours) == len(set(colours)), panel["title"]
            greens[panel["title"].partition(" / ")[2]] = {
                each["text"] for each in named.values() if each["color"] in ("#56a64b", "green")
            }
    answers = {"応答 / answers"}
    sellable = {"終了・販売可 / Finished, Sellable"}
    assert greens == {
        "Slots over time": sellable,
        "Up": answers,
        "Readers that answer": answers,
    }


def test_each_state_and_each_end_of_a_slot_has_its_own_number(tmp_path: Path) -> None:
    [panel] = [each for each in panels() if each["title"].endswith("/ Slots over time")]
    [target] = panel["targets"]
    told = panel["fieldConfig"]["defaults"]["mappings"]
    [named] = [each["options"] for each in told if each["type"] == "value"]
    labels = 'job="benchd",site="s",rack="r"'
    series, wanted = list[dict[str, str]](), list[dict[str, object]]()
    for number, (state, end) in enumerate([*((one, None) for one in SlotState), *ENDS]):
        slot = f'{labels},slot="{number:02}"'
        for each in SlotState:
            name = f'benchd_slot_state{{{slot},state="{each}"}}'
            series.append({"series": name, "values": str(int(each is state))})
        for one in Disposition:
            name = f'benchd_slot_disposition{{{slot},disposition="{one}"}}'
            series.append({"series": name, "values": str(int(one is end))})
        texts = Catalogue.load()
        words = texts.slot_state(state).en
        words += f", {texts.disposition(end).en}" if end is not None else ""
        [value] = [n for n, each in named.items() if each["text"].endswith(f" / {words}")]
        wanted.append({"labels": f'{{site="s",rack="r",slot="{number:02}"}}', "value": int(value)})
    filled = target["expr"].replace("$site", ".*").replace("$rack", ".*")
    asked = {"expr": filled, "eval_time": "0m", "exp_samples": wanted}
    case = {"interval": "1m", "input_series": series, "promql_expr_test": [asked]}
    (tmp_path / "states.test.yml").write_text(yaml.safe_dump({"tests": [case]}))
    done = subprocess.run(
        ["promtool", "test", "rules", "states.test.yml"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
