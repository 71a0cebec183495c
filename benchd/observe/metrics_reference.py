"""Writes docs/metrics.md from the metrics themselves; scripts/metrics-reference keeps the file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from prometheus_client.metrics_core import Metric

from benchd.domain.ids import PortPath, SlotName
from benchd.domain.job import StageName
from benchd.domain.slot import SlotView, TransferView
from benchd.observe.metrics import RackMetrics

LABELS: Final[Mapping[str, str]] = {
    "commit": "the commit that runs",
    "disposition": "where a job sends its handset: `benchd/domain/job.py`",
    "end": "what became of a label: `benchd/domain/label.py`",
    "fault": "why an attempt ended and its job went on: `FaultCode` in `benchd/domain/job.py`",
    "folder": "`ledger` or `certificates`",
    "gate": "a question that only a person answers: `Gate` in `benchd/domain/job.py`",
    "helper": "a process or thread that benchd owns: `docs/service.md`",
    "hook": "a hook's name in the configuration",
    "model": "a name of the catalogue (`configs/models`), `unknown` or `other`",
    "outcome": "how a job or attempt ended: `Outcome` in `benchd/domain/job.py`",
    "printer": "a printer's name in the configuration",
    "python": "the version of Python",
    "reason": "why a job ended as it did: `Reason` in `benchd/domain/job.py`, or `none`",
    "recipe": "a recipe's name in the configuration, or `other` for one that has left it",
    "slot": "a slot's name in the configuration",
    "spent": "`machine`, or `people` while a question was open",
    "stage": "a step of a recipe: the files of `benchd/pipelines/stages`",
    "state": "what a slot is in, or what is due of a handset: `SlotState`, `DisposalState`",
    "step": "`plugging` until a job begins, or `changing` until the next handset is in",
    "version": "the version of benchd",
}
"""What each label holds; a metric with another one has to be told of here first."""

_BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)

_HEAD: Final = """\
# Metrics

All that `/metrics` tells. This file is made from the code by `scripts/metrics-reference`; a test
compares them. Counters count from the start of the daemon, which `rate` and `increase` expect.
Nothing here names a handset. Asked for as OpenMetrics, `benchd_jobs`, `benchd_slot_jobs` and
`benchd_stage_duration_seconds` have an exemplar: the job that was counted last, by its number.
Prometheus keeps them with `--enable-feature=exemplar-storage`. Beside these there are the
`process_…` and `python_gc_…` of the Python client for Prometheus. Dashboards made from them:
[grafana.md](grafana.md); alerts: [the rack](runbooks/rack.md), [the service](runbooks/service.md).

No metric counts resets of USB after which a handset is still the same device: the kernel sends no
event of them and has no counter in `/sys`, only a line in its log, which benchd's user can't read.
`journalctl -k --grep 'reset .* USB device'` has them with their ports. Those after which it is a
new device are counted by `benchd_slot_reenumerations_total`.

**How large an answer is**: some 240 KB (3,000 lines) for any rack, and 1.8 KB for each slot; 250 KB
for six. Nothing in it grows with handsets or with time: every series is there from the start, at
zero. Three quarters are `benchd_stage_duration_seconds`, which has 23 lines for each stage and each
way in which an attempt of it can end; the next are `benchd_dispositions_total` (8 %, each reason
with each disposition) and `benchd_answer_seconds` (6 %). Stored, a line that doesn't change costs
Prometheus next to nothing. Whoever draws no stage by how its attempts ended keeps most of it out
when it is scraped, under `metric_relabel_configs`:

```yaml
- source_labels: [__name__, outcome]
  regex: benchd_stage_duration_seconds_bucket;(?:failed|aborted|interrupted|skipped)
  action: drop
```

| metric | type | labels | tells |
|---|---|---|---|
"""


def reference_text() -> str:
    """The whole page."""
    families = sorted(with_one_of_everything().families(), key=lambda family: family.name)
    rows = [_row(family) for family in families if family.name.startswith("benchd_")]
    labels = [f"| `{name}` | {text} |" for name, text in sorted(LABELS.items())]
    table = "| label | holds |\n|---|---|\n"
    return _HEAD + "\n".join(rows) + "\n\n" + table + "\n".join(labels) + "\n"


def with_one_of_everything() -> RackMetrics:
    """Those of a rack on which each family has a series."""
    slot = SlotName("A1")
    metrics = RackMetrics(
        slots=[slot], recipes=["overwrite"], stages=[StageName.INSPECT], version="", hooks=["erp"]
    )
    hot = TransferView(bytes_done=0, bytes_per_s=0.0, battery_c=20.0)
    view = SlotView(slot=slot, port_path=PortPath("1-1"), transfer=hot)
    metrics.read_from(readers=[slot], views=lambda: {slot: view})
    metrics.labels.printers(["labels"])
    metrics.ledger.anchors.is_used = True
    metrics.expiry.tls = lambda: (_BEGAN, _BEGAN)
    return metrics


def _row(family: Metric) -> str:
    suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
    return (
        f"| `{family.name}{suffix}` | {family.type} | {_labels(family)} | {family.documentation} |"
    )


def _labels(family: Metric) -> str:
    names = sorted({name for sample in family.samples for name in sample.labels} - {"le"})
    for name in names:
        if name not in LABELS:
            message = f"say in LABELS of {__name__} what the label {name} of {family.name} holds"
            raise LookupError(message)
    return ", ".join(f"`{name}`" for name in names)
