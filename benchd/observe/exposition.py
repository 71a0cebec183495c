"""Writes metrics as Prometheus reads them: its text format 0.0.4, or OpenMetrics 1.0.

Formats: https://prometheus.io/docs/instrumenting/exposition_formats/ and the specification of
OpenMetrics 1.0. The library has both too, and writes the labels of each line anew at each scrape:
three quarters of its time. Here a line's head is kept, since the series of a rack stay the same,
and the whole text of a family that says it has not changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Exemplar, Sample

from benchd.observe.kept_samples import KeptFamily

OPEN_METRICS: Final = "application/openmetrics-text"
OPEN_METRICS_TYPE: Final = f"{OPEN_METRICS}; version=1.0.0; charset=utf-8"
TEXT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
HEADS_KEPT: Final = 32_768
"""Several racks of the largest size; with one more they are all made anew."""


class Exposition:
    """Writes one registry's metrics, again and again."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._heads: dict[tuple[str, ...], str] = {}
        self._kept: dict[tuple[str, bool], tuple[int, str]] = {}

    def encode(self, accept: str) -> tuple[bytes, str]:
        """All metrics in the form that the header `Accept` asks for, and its content type."""
        opened = any(each.split(";")[0].strip() == OPEN_METRICS for each in accept.split(","))
        told = [self._written(family, opened=opened) for family in self._registry.collect()]
        if opened:
            return "".join([*told, "# EOF\n"]).encode(), OPEN_METRICS_TYPE
        return "".join(told).encode(), TEXT_TYPE

    def _written(self, family: Metric, *, opened: bool) -> str:
        write = self._open_metrics if opened else self._text
        if not isinstance(family, KeptFamily):
            return "".join(write(family))
        # Before its samples: what changes meanwhile is written again next time.
        changes = family.changes
        at, text = self._kept.get((family.name, opened), (-1, ""))
        if at != changes:
            text = "".join(write(family))
            self._kept[family.name, opened] = changes, text
        return text

    def _open_metrics(self, family: Metric) -> Iterable[str]:
        yield f"# HELP {family.name} {_escaped(family.documentation)}\n"
        yield f"# TYPE {family.name} {family.type}\n"
        for sample in family.samples:
            told = _exemplar(sample.exemplar) if sample.exemplar is not None else ""
            yield f"{self._head(sample)}{_number(sample.value)}{told}\n"

    def _text(self, family: Metric) -> Iterable[str]:
        name, kind = _text_name(family)
        told = family.documentation.replace("\\", r"\\").replace("\n", r"\n")
        yield f"# HELP {name} {told}\n"
        yield f"# TYPE {name} {kind}\n"
        for sample in family.samples:
            yield f"{self._head(sample)}{_number(sample.value)}\n"

    def _head(self, sample: Sample) -> str:
        # The names of a series' labels are always the same: its values tell it from the others.
        key = (sample.name, *sample.labels.values())
        head = self._heads.get(key)
        if head is None:
            if len(self._heads) >= HEADS_KEPT:
                self._heads.clear()
            labels = _braced(sample.labels) if sample.labels else ""
            head = self._heads[key] = f"{sample.name}{labels} "
        return head


def _text_name(family: Metric) -> tuple[str, str]:
    """A family's name and type in the older format, which has fewer types."""
    if family.type == "counter":
        return f"{family.name}_total", "counter"
    if family.type == "info":
        return f"{family.name}_info", "gauge"
    return family.name, family.type


def _braced(labels: Mapping[str, str]) -> str:
    told = [f'{label}="{_escaped(value)}"' for label, value in sorted(labels.items())]
    return "{" + ",".join(told) + "}"


def _exemplar(exemplar: Exemplar) -> str:
    when = "" if exemplar.timestamp is None else f" {exemplar.timestamp}"
    labels = _braced(exemplar.labels)
    return f" # {labels} {_number(exemplar.value)}{when}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(float(value)) if math.isfinite(value) else "+Inf" if value > 0 else "-Inf"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
