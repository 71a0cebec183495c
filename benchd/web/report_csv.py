"""A report for spreadsheets, which take UTF-8 for the machine's own letters without its mark."""

from __future__ import annotations

import codecs
import csv
import io

from benchd.web.records_objects import ReportObject

HEADER = ("figure", "value", "項目", "区分", "figure_en", "value_en", "handsets")


def csv_of(report: ReportObject) -> bytes:
    """One line for each value of each figure; the jobs behind them stand in the JSON."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(HEADER)
    for figure in report.figures:
        name = figure.text
        for value in figure.values:
            said = (figure.figure.value, value.value, name.ja, value.ja, name.en, value.en)
            lines.writerow([*said, value.handsets])
    return codecs.BOM_UTF8 + text.getvalue().encode()
