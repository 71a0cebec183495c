"""What a Prometheus answers to each query of a dashboard, as Grafana would ask it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx2

from benchd.lab.dashboards.drawing.substitution import Span, filled_in

MOST_POINTS: Final = 900
"""A panel as wide as the page has about as many pixels."""
ALL_RACKS: Final = {"site": ".*", "rack": ".*"}
_COLUMNS: Final = 24


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
