"""What a Prometheus answers to each query of a dashboard, as Grafana would ask it.

Source of what is put into a query for its variables, and of how finely it asks: Grafana's
documentation of its source for Prometheus ("Template variables") and of `@grafana/data`'s
`rangeUtil`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

MOST_POINTS: Final = 900
"""A panel as wide as the page has about as many pixels."""
ALL_RACKS: Final = {"site": ".*", "rack": ".*"}
_COLUMNS: Final = 24


SCRAPED_EVERY_S: Final = 15.0
"""What the source assumes where nobody has set its scrape interval."""
_STEPS_S: Final = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800)
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_]\w*)(?::\w+)?\}|\$([A-Za-z_]\w*)")
"""`$1` is none: that is the matched part of a `label_replace`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time that a dashboard shows, in seconds since 1970."""

    begin_s: float
    end_s: float
    scraped_every_s: float = SCRAPED_EVERY_S

    @property
    def range_s(self) -> float:
        """How long it is."""
        return self.end_s - self.begin_s

    def step_s(self, points: int) -> int:
        """`$__interval`: the roundest step with which no more than so many points are asked for."""
        needed = max(self.range_s / points, self.scraped_every_s)
        return next((step for step in _STEPS_S if step >= needed), _STEPS_S[-1])


def filled_in(expr: str, span: Span, step_s: int, chosen: Mapping[str, str]) -> str:
    """The query as it reaches Prometheus.

    `chosen` are the dashboard's own variables, as regular expressions (`.*` is all).

    Raises:
        KeyError: for a variable that neither Grafana nor the dashboard has.
    """
    rate_s = max(step_s + span.scraped_every_s, 4 * span.scraped_every_s)
    values = {
        "__interval": f"{step_s}s",
        "__interval_ms": str(step_s * 1000),
        "__rate_interval": f"{math.ceil(rate_s)}s",
        "__range": f"{math.ceil(span.range_s)}s",
        "__range_s": str(math.ceil(span.range_s)),
        "__range_ms": str(math.ceil(span.range_s * 1000)),
        **chosen,
    }
    return _VARIABLE.sub(lambda found: values[found[1] or found[2]], expr)


async def answers_of(
    client: httpx2.AsyncClient, dashboard: Mapping[str, Any], span: Span
) -> dict[str, dict[str, Any]]:
    """By a panel's id and a query's `refId`: its series, and the step in milliseconds.

    Raises:
        httpx2.HTTPError: Prometheus is away, or refuses a query.
    """
    found: dict[str, dict[str, Any]] = {}
    for panel in dashboard["panels"]:
        step = span.step_s(MOST_POINTS * panel["gridPos"]["w"] // _COLUMNS)
        found[str(panel["id"])] = {
            target["refId"]: {
                "stepMs": step * 1000,
                "result": await _asked(client, target, span, step),
            }
            for target in panel["targets"]
        }
    return found


async def _asked(
    client: httpx2.AsyncClient, target: Mapping[str, Any], span: Span, step: int
) -> Any:  # noqa: ANN401 - JSON, for the page
    expr = filled_in(target["expr"], span, step, ALL_RACKS)
    if target.get("instant"):
        asked = {"query": expr, "time": str(span.end_s)}
        answer = await client.get("/api/v1/query", params=asked)
    else:
        begin = span.begin_s // step * step
        asked = {"query": expr, "start": str(begin), "end": str(span.end_s), "step": str(step)}
        answer = await client.get("/api/v1/query_range", params=asked)
    return answer.raise_for_status().json()["data"]["result"]
