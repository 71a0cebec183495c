"""What Grafana makes of a Prometheus's answers in a panel of tiles or bars, as text and colour.

Source: `getFieldDisplayValues`, `calculateLastNotNull` and `getDisplayProcessor` of @grafana/data.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Tile(NamedTuple):
    """One tile or bar: its name, what it says and how it is coloured."""

    name: str
    text: str
    colour: str


def tiles(panel: Mapping[str, Any], answers: Sequence[tuple[str, Any]]) -> list[Tile]:
    """All of a panel; `answers` are what each query's series are called, and their series."""
    shown = panel["fieldConfig"]["defaults"]
    found = [
        _tile(shown, _named(legend, series["metric"]), float(series["value"][1]))
        for legend, told in answers
        for series in told
    ]
    return found or [_tile(shown, "", math.nan)]


def _named(legend: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda label: labels.get(label[1], ""), legend).strip()


def _tile(shown: Mapping[str, Any], name: str, value: float) -> Tile:
    mapped = _mapped(shown.get("mappings", []), value)
    below = [
        step["color"]
        for step in shown["thresholds"]["steps"]
        if step["value"] is None or value >= step["value"]
    ]
    text = "" if math.isnan(value) else f"{value:g}"
    return Tile(name, mapped.get("text") or text, mapped.get("color") or below[-1])


def _mapped(mappings: Sequence[Mapping[str, Any]], value: float) -> Mapping[str, str]:
    for mapping in mappings:
        options = mapping["options"]
        match mapping["type"]:
            case "special" if math.isnan(value) and options["match"] == "null":
                return options["result"]
            case "value" if f"{value:g}" in options:
                return options[f"{value:g}"]
            case "range" if options["from"] <= value <= options["to"]:
                return options["result"]
            case _:
                pass
    return {}
