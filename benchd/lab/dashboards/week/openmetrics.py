"""The drawn week as OpenMetrics text, half a day a file, for `promtool tsdb create-blocks-from`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.lab.dashboards.week.week_plan import (
    BEGINS,
    ENDS,
    RACKS,
    SCRAPED_EVERY,
    SEED,
    SITE,
    Alert,
)
from benchd.lab.dashboards.week.week_rack import DrawnRack

_A_FILE: Final = timedelta(hours=12)
"""Promtool reads a file once for each two hours in it."""
_UP: Final = "# TYPE up gauge"
_WATCHED: Final = "# TYPE instance:benchd_watched:up gauge"
_ALERTS: Final = "# TYPE ALERTS gauge"
_MANY: Final = 100

Columns = dict[str, dict[str, list[tuple[float, float]]]]
"""By the head of a family and by series: when, and what."""


def week(
    into: Path, catalogue: ModelCatalogue, names: Collection[str], *, until: datetime = ENDS
) -> Iterator[Path]:
    """Draw it from its beginning on, and write each file as soon as it is full.

    `names` are the metrics that are kept: those which somebody asks for.
    """
    racks = [
        DrawnRack(rack, catalogue, Random(f"{SEED} {rack.name}"))  # noqa: S311 - drawn on purpose
        for rack in RACKS
    ]
    columns: Columns = {}
    now, begun = BEGINS, BEGINS
    while now < until:
        for rack in racks:
            for _ in range(SCRAPED_EVERY // timedelta(minutes=1)):
                rack.live()
            _scrape(rack, columns, names)
        now += SCRAPED_EVERY
        if now - begun >= _A_FILE or now >= until:
            file = into / f"{begun:%Y%m%dT%H%M}.om"
            file.write_text(_text(columns))
            columns, begun = {}, now
            yield file


def _scrape(rack: DrawnRack, columns: Columns, names: Collection[str]) -> None:
    at, where = rack.now.timestamp(), {"site": SITE, "rack": rack.rack.name, "job": "benchd"}

    def keep(head: str, name: str, labels: Mapping[str, str], value: float) -> None:
        series = _series(name, (*where, *labels), (*where.values(), *labels.values()))
        columns.setdefault(head, {}).setdefault(series, []).append((at, value))

    def fires(alert: Alert, **labels: str) -> None:
        keep(_ALERTS, "ALERTS", {"alertname": alert, "alertstate": "firing", **labels}, 1)

    keep(_UP, "up", {}, float(rack.is_up))
    if not rack.is_up:
        fires(Alert.DOWN)
        return
    keep(_WATCHED, "instance:benchd_watched:up", {}, 1)
    for family, sample, value in rack.samples(names):
        keep(f"# TYPE {family.name} {family.type}", sample.name, sample.labels, value)
    for what, alert in (
        (rack.rack.dead_reader, Alert.READER_DOWN),
        (rack.rack.out_of_use, Alert.SLOT_QUARANTINED),
    ):
        if what and rack.now >= what[1]:
            fires(alert, slot=what[0])


@cache
def _series(name: str, labels: Sequence[str], values: Sequence[str]) -> str:
    told = zip(labels, map(json.dumps, values), strict=True)
    return f"{name}{{{','.join(f'{label}={value}' for label, value in told)}}}"


def _text(columns: Columns) -> str:
    lines: list[str] = []
    for head, series in columns.items():
        # Of thousands of counters that stand at zero all day nobody would see anything.
        only_told = len(series) > _MANY and not head.endswith("gauge")
        lines.append(head)
        for name, column in series.items():
            if not only_told or any(value for _, value in column):
                lines += [f"{name} {value!r} {at:.0f}" for at, value in column]
    return "\n".join([*lines, "# EOF", ""])
