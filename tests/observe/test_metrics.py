"""The form of the metrics, and what stands around them."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
import pytest
from metrics_rig import new_metrics, series_of, text_of, value

from benchd.domain.ids import SlotName
from benchd.domain.job import Disposition, FaultCode, Gate, Outcome, Reason
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.operator_steps import BetweenJobs
from benchd.domain.slot_states import SlotState
from benchd.observe import metrics_reference
from benchd.observe.announcing_ledger import bulkhead
from benchd.observe.loop_lag import PROBE_EVERY_S, measure_loop_lag
from benchd.observe.metrics import RackMetrics
from benchd.observe.metrics_reference import with_one_of_everything
from benchd.pipelines.stages import STAGE_CLASSES

pytestmark = pytest.mark.asyncio


PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
"""The contract: others' alerts and dashboards go by these names."""


IF_CONFIGURED = re.compile(
    "benchd_(hook_|labels_|printer_|reader_up|ledger_anchor|tls_|slot_battery_)"
)
"""What a rack has only if its configuration has hooks, printers, readers, anchors or TLS, and what
only a handset tells."""


def contract() -> set[str]:
    """A series of each metric that the page promises."""
    promised = re.findall(r"^\| `(benchd_\w+)` \| (\w+) \|", PAGE.read_text(), re.MULTILINE)
    return {f"{name}_bucket" if kind == "histogram" else name for name, kind in promised}


async def test_promtool_finds_nothing_to_say() -> None:
    promtool = shutil.which("promtool")
    assert promtool is not None
    told = await text_of(new_metrics("A1", "A2"))
    done = subprocess.run(
        [promtool, "check", "metrics"], input=told, capture_output=True, check=False, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_the_whole_contract_is_there_before_anything_happens() -> None:
    promised = contract()
    assert len(promised) > 60
    names = {name for name, _ in await series_of(with_one_of_everything())}
    assert promised - names == set()
    assert not [name for name in names if name.endswith("_created")]
    # What is not configured is all that may be missing.
    missing = promised - {name for name, _ in await series_of(new_metrics())}
    assert missing == {name for name in promised if IF_CONFIGURED.match(name)}


async def test_item_7_an_answer_is_as_large_as_the_reference_says() -> None:
    async def text(*slots: str) -> str:
        return (await new_metrics(*slots).expose(""))[0].decode()

    one, many = await text("A1"), await text(*(f"A{number}" for number in range(1, 65)))
    assert 200_000 < len(one) < 270_000
    assert len(many) - len(one) < 64 * 2_000
    of_stages = [line for line in one.splitlines() if "benchd_stage_duration_seconds" in line]
    assert 0.7 < len("\n".join(of_stages)) / len(one) < 0.8


async def test_every_word_of_the_model_has_its_series() -> None:
    series = await series_of(new_metrics("A1", "B1"))

    def labels(name: str, label: str) -> set[str]:
        return {dict(found)[label] for told, found in series if told == name}

    assert labels("benchd_slot_state", "state") == set(SlotState)
    assert labels("benchd_slot_state", "slot") == {"A1", "B1"}
    assert labels("benchd_stage_duration_seconds_count", "stage") == set(STAGE_CLASSES)
    assert labels("benchd_stage_duration_seconds_count", "outcome") == set(Outcome)
    assert labels("benchd_jobs_total", "recipe") == {"overwrite", "other"}
    assert labels("benchd_dispositions_total", "reason") == {*Reason, "none"}
    assert labels("benchd_dispositions_total", "disposition") == set(Disposition)
    assert labels("benchd_slot_jobs_total", "slot") == {"A1", "B1"}
    assert labels("benchd_slot_stage_faults_total", "fault") == set(FaultCode)
    assert labels("benchd_questions_open", "gate") == set(Gate)
    assert labels("benchd_between_jobs_seconds_total", "step") == set(BetweenJobs)
    assert labels("benchd_model_jobs_total", "model") == {"unknown", "other"}
    allowed = {"slot", "state", "stage", "outcome", "recipe", "disposition", "reason", "le"}
    allowed |= {"fault", "gate", "helper", "spent", "model", "folder", "step"}
    told = {label for _, found in series for label, _ in found}
    assert told == allowed | {"version", "commit", "python", "generation"}


async def test_open_metrics_on_request() -> None:
    metrics = new_metrics()
    body, content_type = await metrics.expose("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")
    body, content_type = await metrics.expose("text/html")
    assert content_type.startswith("text/plain; version=0.0.4")
    assert b"# EOF" not in body


async def test_a_slot_that_is_not_configured_makes_no_series() -> None:
    metrics = new_metrics("A1")
    before = (await series_of(metrics)).keys()
    metrics.slots.wrote(SlotName("Z9"), 4096)
    assert (await series_of(metrics)).keys() == before


async def test_a_fault_of_a_subscriber_is_counted_and_logged_without_what_it_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    metrics = new_metrics()

    def broken(serial: str) -> None:
        raise ValueError(serial)

    bulkhead(broken, metrics.fault)("R5CT10ABCDE")
    assert await value(metrics, "benchd_metrics_faults_total") == 1
    told = capsys.readouterr()
    assert "ValueError" in told.out + told.err
    assert "R5CT10ABCDE" not in told.out + told.err


@pytest.mark.looptime
async def test_the_loop_is_looked_at_as_long_as_it_runs() -> None:
    lags: list[float] = []
    with anyio.move_on_after(10 * PROBE_EVERY_S + 0.01):
        await measure_loop_lag(lags.append, anyio.current_time)
    assert lags == pytest.approx([0.0] * 10)


async def test_a_call_that_blocks_the_loop_is_seen_as_lag() -> None:
    metrics = new_metrics()
    blocked_s = 0.3
    async with anyio.create_task_group() as group:
        group.start_soon(partial(measure_loop_lag, metrics.loop_lagged, time.monotonic))
        await anyio.wait_all_tasks_blocked()
        time.sleep(PROBE_EVERY_S + blocked_s)  # the fault that this test is about
        while not await _seen(metrics):  # noqa: ASYNC110 - only looking tells
            await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    assert await value(metrics, "benchd_event_loop_lag_seconds_sum") > blocked_s * 0.9


async def _seen(metrics: RackMetrics) -> bool:
    return await value(metrics, "benchd_event_loop_lag_seconds_count") > 0


async def test_a_new_configuration_brings_and_takes_series() -> None:
    metrics = new_metrics("A1", "A2")
    metrics.slots.wrote(SlotName("A1"), 5)
    metrics.slots.wrote(SlotName("A2"), 7)
    metrics.reconfigured(
        slots=[SlotName("A2"), SlotName("A3")], recipes=("delete",), models=ModelCatalogue()
    )
    found = {
        dict(labels)["slot"]: number
        for (name, labels), number in (await series_of(metrics)).items()
        if name == "benchd_overwritten_bytes_total"
    }
    assert found == {"A2": 7, "A3": 0}
    slots = {
        dict(labels)["slot"] for _, labels in await series_of(metrics) if "slot" in dict(labels)
    }
    assert slots == {"A2", "A3"}
    # The last jobs of a recipe that has left may still be running.
    assert await value(metrics, "benchd_jobs_total", recipe="overwrite", outcome="passed") == 0
    assert await value(metrics, "benchd_jobs_total", recipe="delete", outcome="passed") == 0
    metrics.slots.wrote(SlotName("A1"), 9)
    assert "A1" not in await text_of(metrics)


async def test_the_page_is_as_the_code_makes_it() -> None:
    """If this fails: scripts/metrics-metrics_reference."""
    assert PAGE.read_text() == metrics_reference.reference_text()


async def test_a_label_that_nobody_has_explained_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = {name: text for name, text in metrics_reference.LABELS.items() if name != "gate"}
    monkeypatch.setattr(metrics_reference, "LABELS", told)
    with pytest.raises(LookupError, match="what the label gate of benchd_answer_seconds holds"):
        metrics_reference.reference_text()


AT = datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)


async def anchors_told(metrics: RackMetrics) -> dict[str, float]:
    """The series of anchors by the last word of their names."""
    return {
        name.rpartition("_")[2]: number
        for (name, _), number in (await series_of(metrics)).items()
        if "_anchor" in name
    }


async def test_an_anchor_is_down_until_it_was_reached_and_without_one_none_is_told() -> None:
    metrics = new_metrics()
    anchors = metrics.ledger.anchors
    assert await anchors_told(metrics) == {}
    anchors.is_used = True
    assert await anchors_told(metrics) == {"seconds": 0, "sequence": 0, "up": 0}
    # What a former daemon sent out is known, and brings no anchor up.
    for happened, sequence, up in (
        (partial(anchors.recalled, 7, AT), 7, 0),
        (partial(anchors.anchored, 8, AT), 8, 1),
        (anchors.unreachable, 8, 0),
    ):
        happened()
        wanted = {"seconds": AT.timestamp(), "sequence": sequence, "up": up}
        assert await anchors_told(metrics) == wanted
