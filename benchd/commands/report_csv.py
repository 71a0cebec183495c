"""A report for spreadsheets, which take UTF-8 for the machine's own letters without its mark."""

from __future__ import annotations

import codecs
import csv
import io

from benchd.commands.tables.cells import JsonObject, part, parts

HEADER = ("figure", "value", "項目", "区分", "figure_en", "value_en", "handsets")


def csv_of(report: JsonObject) -> bytes:
    """One line for each value of each figure; the jobs behind them stand in the JSON."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(HEADER)
    for figure in parts(report, "figures"):
        name = part(figure, "text")
        for value in parts(figure, "values"):
            said = (figure["figure"], value["value"], name["ja"], value["ja"], name["en"])
            lines.writerow([*said, value["en"], value["handsets"]])
    return codecs.BOM_UTF8 + text.getvalue().encode()
