"""A report for spreadsheets, which take UTF-8 for the machine's own letters without its mark."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from benchd.commands.tables.cells import JsonObject, part, parts
from benchd.words.ids import JsonValue

HEADER = (
    *("figure", "value", "項目", "区分", "figure_en", "value_en", "handsets"),
    *("counted_by", "lot", "consignor"),
)
BEGINS_FORMULA = ("=", "+", "-", "@")
"""A spreadsheet would work out what begins so; lots and consignors are as people have typed."""


def csv_of(report: JsonObject) -> bytes:
    """One line for each value of each figure; the jobs behind them stand in the JSON."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(HEADER)
    for figure in _lines(report):
        lines.writerow([*figure, "all", "", ""])
    for counted_by, key in (("consignor", "consignors"), ("lot", "lots")):
        for share in parts(report, key):
            names = (_cell(share["lot"]), _cell(share["consignor"]))
            for figure in _lines(share):
                lines.writerow([*figure, counted_by, *names])
    return codecs.BOM_UTF8 + text.getvalue().encode()


def _lines(figures: JsonObject) -> Iterator[tuple[JsonValue, ...]]:
    for figure in parts(figures, "figures"):
        name = part(figure, "text")
        for value in parts(figure, "values"):
            said = (figure["figure"], value["value"], name["ja"], value["ja"], name["en"])
            yield (*said, value["en"], value["handsets"])


def _cell(name: JsonValue) -> str:
    told = "" if name is None else str(name)
    return f"'{told}" if told.startswith(BEGINS_FORMULA) else told
