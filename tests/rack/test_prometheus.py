"""A real Prometheus scrapes the daemon on a virtual rack."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import httpx2
import pytest

from benchd.lab.dashboards.sheets import SHEETS
from benchd.lab.demo.demo_operators import ended
from benchd.lab.demo.demo_rack import DemoRack, demo_rack, loopback_listener
from benchd.lab.demo.demo_run import until_all_ended
from benchd.lab.simulator.scenarios import SCENARIOS
from tests.free_port import free_port
from tests.watchers import prometheus, query, until

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(180)]

NAMES = ("clean", "modified-os")
CONFIG = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: benchd
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
WITH_DATA = (
    'benchd_slot_state{state="finished"} == 1',
    'benchd_stage_duration_seconds_count{stage="overwrite",outcome="passed"} > 0',
    'benchd_jobs_total{recipe="overwrite",outcome="passed"} == 1',
    'benchd_jobs_total{recipe="overwrite",outcome="failed"} == 1',
    'benchd_dispositions_total{disposition="sellable",reason="none"} == 1',
    'benchd_dispositions_total{disposition="destroy",reason="system_modified"} == 1',
    'benchd_overwritten_bytes_total{slot="A1"} > 1000000',
    "benchd_felica_residue_found_total >= 0",
    "benchd_event_loop_lag_seconds_count > 0",
    "benchd_hotplug_to_start_seconds_count == 2",
    'benchd_slot_needs_person{slot="A1"} == 0',
    "benchd_adb_server_up == 1",
    "benchd_adb_server_starts_total == 1",
    'benchd_slot_jobs_total{slot="A1",outcome="passed"} == 1',
    'benchd_stage_time_seconds_total{stage="overwrite",spent="machine"} > 0',
    'benchd_slot_reenumerations_total{slot="A1"} > 0',
    'sum(benchd_answer_seconds_count{gate="confirm"}) == 1',
    'count(benchd_model_jobs_total{outcome="passed"} == 1) == 1',
    "benchd_ledger_records > 20",
    "benchd_ledger_bytes > 4096",
    'benchd_disk_free_bytes{folder="certificates"} > 0',
    "count(benchd_disk_free_files) == 2",
    "benchd_ledger_anchor_up == 1",
    "benchd_ledger_anchored_timestamp_seconds > 1.7e9",
    "benchd_ledger_restores == 0",
    "benchd_certificate_files_missing == 0",
    "benchd_ledger_commit_seconds_count > 20",
    "benchd_metrics_faults_total == 0",
    'benchd_build_info{version!="",commit!=""} == 1',
    'process_resident_memory_bytes{job="benchd"} > 0',
    'up{job="benchd"} == 1',
)
"""What this rack has to have put into its metrics; of the other families docs/metrics.md holds type
and labels, and the tests of dashboards and alerts what these ask."""


FILLED_IN = {"$__range": "5m", "$__interval": "5s", "$site": ".*", "$rack": ".*"}
"""What Grafana puts in for its variables."""
NOT_HERE = (
    "benchd_slot_transfer_bytes_per_second",
    "benchd_hotplug_to_start_seconds_bucket",
    "benchd_hook_",
)
"""Of small handsets a transfer may begin and end between two scrapes, and both may have started
before the first, which leaves no increase; this rack has no hook."""


def panels_asked() -> Iterator[str]:
    """What every panel asks for which can't be empty once handsets have ended."""
    panels = (panel for sheet in SHEETS for panel in sheet.panels if not panel.may_be_empty)
    for panel in panels:
        for told in panel.queries:
            asked = told.expr
            for name, value in FILLED_IN.items():
                asked = asked.replace(name, value)
            if not any(name in asked for name in NOT_HERE):
                yield asked


def keep_heads_outside(rack: DemoRack) -> None:
    """Give the rack an anchor, of which it then has something to tell."""
    (rack.folder.path / "anchor").mkdir()
    file = rack.folder.config
    file.write_text(file.read_text().replace("[ledger]\n", '[ledger]\nanchor.folder = "anchor"\n'))


async def names_of(client: httpx2.AsyncClient, when: Callable[[str], bool]) -> set[str]:
    """Every series that Prometheus has ever got, as text."""
    answer = await client.get("/api/v1/series", params={"match[]": '{job="benchd"}'})
    told = answer.raise_for_status().json()["data"]
    return {json.dumps(one, sort_keys=True) for one in told if when(one["__name__"])}


async def test_prometheus_gets_what_a_rack_has_done_and_all_series_from_the_start(
    tmp_path: Path,
) -> None:
    scenarios = [SCENARIOS[name] for name in NAMES]
    port = free_port()
    scraper = tmp_path / "scraper"
    scraper.mkdir()
    with loopback_listener(port) as listener:
        async with (
            demo_rack(tmp_path, scenarios, port=port) as rack,
            prometheus(scraper, CONFIG.format(port=port)) as client,
        ):
            keep_heads_outside(rack)
            await rack.start_daemon(listener)
            await until(client, 'up{job="benchd"} == 1')
            at_first = await names_of(client, lambda name: name.startswith("benchd_"))
            async with anyio.create_task_group() as group:
                group.start_soon(rack.operators().work)
                group.start_soon(rack.must_live)
                with anyio.fail_after(120):
                    await until_all_ended(rack)
                assert all(ended(slot) for slot in rack.watch.slots.values())
                group.cancel_scope.cancel()
            for expression in WITH_DATA:
                await until(client, expression)
            assert [each for each in panels_asked() if not await query(client, each)] == []
            everything = await names_of(client, lambda name: True)
            # Only the series of models come with the models.
            of_rack = {one for one in everything if '"benchd_' in one and '"model"' not in one}
            assert of_rack == {one for one in at_first if '"model"' not in one}
            for placed in rack.placed:
                plan = placed.scenario.handset(name="", slot=None, copy=placed.number)
                assert not [s for s in everything if plan.serial in s or plan.imei in s]
            scraped = await client.get("/api/v1/targets")
            assert scraped.json()["data"]["activeTargets"][0]["lastError"] == ""
