"""The shipped Prometheus configuration, judged by Prometheus' own tool."""

from __future__ import annotations

import re
import shlex
import subprocess
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import yaml
from metrics_rig import new_metrics, text_of
from typer.testing import CliRunner

from benchd.cli.main import app
from benchd.domain.job import Reason
from benchd.observe.log_events import log_events

ROOT = Path(__file__).parents[2]
SPANS = ("half_days", "days", "weeks", "years")
"""Of time, longer than others, looked at less often: half_days.test.yml and so on."""
SHIPPED = ROOT / "configs" / "prometheus"
RULES = ("rack.yml", "service.yml", "compared.yml")
RECORDED = "recorded.yml"
FLEET = "../../fleet/silence.yml"
"""Those of the centre's Prometheus, beside the other files of a fleet."""
TESTS = tuple(f"{name}.test.yml" for name in ("rack", "service", "compared", "silence", *SPANS))
FIRES = re.compile(r'count(?: by \(site\))? ?\(ALERTS\{alertname="(\w+)",alertstate="firing"\}\)')
WATCHDOG = "BenchdWatchdog"
"""It is never silent."""
PROGRESS = "benchd_ledger_check_progress_ratio"
SERIES = re.compile(r"(?:\w+:)?\bbenchd_\w+(?::\w+)?")
RUNBOOK = ("意味", "見る", "する", "呼ぶ", "Means", "Look", "Do", "Call")


def rules_of(*files: str) -> list[dict[str, Any]]:
    return [
        rule
        for name in files
        for group in yaml.safe_load((SHIPPED / "rules" / name).read_text())["groups"]
        for rule in group["rules"]
    ]


def alerts(*files: str) -> list[dict[str, Any]]:
    return [rule for rule in rules_of(*(files or RULES)) if "alert" in rule]


def promtool(*arguments: str, where: Path = SHIPPED) -> None:
    done = subprocess.run(
        ["promtool", *arguments], cwd=where, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_configuration_with_its_rules() -> None:
    promtool("check", "config", "prometheus.yml")
    told = yaml.safe_load((SHIPPED / "prometheus.yml").read_text())
    assert told["rule_files"] == [f"rules/{name}" for name in (*RULES, RECORDED)]
    promtool("check", "rules", "--lint=all", "--lint-fatal", *told["rule_files"])


def test_promtool_accepts_the_centres_configuration_with_its_rules() -> None:
    fleet = SHIPPED.parent / "fleet"
    promtool("check", "config", "prometheus.yml", where=fleet)
    promtool("check", "rules", "--lint=all", "--lint-fatal", "silence.yml", where=fleet)


@pytest.mark.timeout(300)  # promtool plays weeks: it takes its time on a busy machine
@pytest.mark.parametrize("name", [*TESTS, FLEET.replace(".yml", ".test.yml")])
def test_alerts_fire_when_they_should_and_at_no_other_time(name: str) -> None:
    promtool("test", "rules", name, where=SHIPPED / "rules")


def test_what_is_recorded_is_what_the_figures_of_a_day_say() -> None:
    promtool("test", "rules", "recorded.test.yml", where=SHIPPED / "rules")


def test_each_recorded_series_is_tried_and_told_of() -> None:
    tried = (SHIPPED / "rules" / "recorded.test.yml").read_text()
    told = (ROOT / "docs" / "slo.md").read_text()
    for rule in rules_of(RECORDED):
        assert f"'{rule['record']}'" in tried or f"({rule['record']})" in tried
        assert f"`{rule['record']}`" in told


def test_each_alert_is_tried_before_it_fires_while_it_does_and_after() -> None:
    tried: dict[str, set[tuple[bool, ...]]] = {}
    silent: dict[str, set[tuple[bool, ...]]] = {}
    for name in TESTS:
        for case in yaml.safe_load((SHIPPED / "rules" / name).read_text())["tests"]:
            seen = [(FIRES.findall(one["expr"])[0], one) for one in case["promql_expr_test"]]
            [alert] = {alert for alert, _ in seen}
            fired = tuple(on for on, _ in groupby(bool(one["exp_samples"]) for _, one in seen))
            tried.setdefault(alert, set()).add(fired)
            if name == "silence.test.yml":
                silent.setdefault(alert, set()).add(fired)
    assert tried[WATCHDOG] == {(True,)}
    assert sorted(tried) == sorted(alert["alert"] for alert in alerts())
    # What is told of silence, or goes wrong slowly, is told nowhere else, too.
    assert len(silent) >= 15
    del tried[WATCHDOG], silent[WATCHDOG]
    assert all({(False,), (False, True, False)} <= each for each in silent.values()), silent
    assert all((False, True, False) in each for each in tried.values()), tried


def test_racks_of_one_name_at_two_sites_are_never_taken_for_one() -> None:
    for rule in rules_of(*RULES, RECORDED, FLEET):
        for matched in re.findall(r"\b(?:on|by) \(([^)]+)\)", rule["expr"]):
            assert "site" in matched, rule
    told = yaml.safe_load((SHIPPED.parent / "alertmanager" / "alertmanager.yml").read_text())
    assert {"site", "rack"} <= set(told["route"]["group_by"])
    assert all(each["equal"] == ["site", "rack"] for each in told["inhibit_rules"])


@pytest.mark.asyncio
async def test_rules_name_only_metrics_that_there_are() -> None:
    rules = rules_of(*RULES, RECORDED)
    named = {name for rule in rules for name in re.findall(SERIES, rule["expr"])}
    # Of what is compared, each file records its own.
    named -= {rule["record"] for rule in rules if "record" in rule}
    # A family without a slot, hook or printer of its kind has no series yet.
    families = set(re.findall(r"# TYPE (\w+) ", await text_of(new_metrics())))
    assert {re.sub(r"_(bucket|count)$", "", name) for name in named} <= families


@pytest.mark.parametrize(
    "alert",
    [*alerts(), *alerts(FLEET)],
    ids=lambda alert: alert["labels"].get("site", "") + alert["alert"],
)
def test_each_alert_leads_to_its_page_of_the_runbook_in_both_languages(
    alert: dict[str, Any],
) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    # Whom it reaches goes by this.
    assert alert["labels"]["team"] == Path(alert["annotations"]["runbook_url"]).name.split(".")[0]
    told = alert["annotations"]
    assert re.search(r"[ぁ-んァ-ヶ一-龠].* / .*[a-z]", told["summary"])
    page, _, anchor = told["runbook_url"].partition("#")
    assert anchor == alert["alert"].lower()
    text = (ROOT / page).read_text()
    _, _, rest = text.partition(f"\n## {alert['alert']}\n")
    section = rest.partition("\n## ")[0]
    assert re.findall(r"^\* \*\*(.+?)\*\* \S", section, re.MULTILINE) == list(RUNBOOK)


def test_each_runbook_has_an_address_once_the_manual_is_followed(tmp_path: Path) -> None:
    manual = (ROOT / "docs/watching.md").read_text()
    [script] = re.findall(r"^```\n(install -d .*?)^```$", manual, re.MULTILINE | re.DOTALL)
    script = script.replace("/etc/prometheus/benchd", str(tmp_path / "etc"))
    script = script.replace("/usr/local/share/benchd", str(ROOT))
    command = ["bash", "-eu", "-c", script]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    told = [
        rule["annotations"]["runbook_url"]
        for name in RULES
        for group in yaml.safe_load((tmp_path / "etc" / name).read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert told == [
        "https://manuals.example/" + alert["annotations"]["runbook_url"].replace(".md#", ".html#")
        for alert in alerts()
    ]
    assert (tmp_path / "etc" / RECORDED).read_text() == (SHIPPED / "rules" / RECORDED).read_text()


@pytest.mark.parametrize("page", ["rack.md", "service.md", "recovery.md", "fleet.md"])
def test_runbooks_name_only_commands_reasons_and_pages_that_there_are(page: str) -> None:
    text = (ROOT / "docs" / "runbooks" / page).read_text()
    for line in set(re.findall(r"`(benchd [^`]+)`", text)):
        words = [word for word in shlex.split(line)[1:] if not re.match(r"[-/A-Z]", word)]
        told = CliRunner().invoke(app, [*words, "--help"])
        assert told.exit_code == 0, line
    for word in set(re.findall(r"`([a-z]+_[a-z_]+)`", text)) - {PROGRESS}:
        assert word in {*Reason, *log_events()}, word
    for linked in re.findall(r"\]\(([^)#]+)\)", text):
        assert (ROOT / "docs" / "runbooks" / linked).resolve().is_file(), linked
