"""A report for spreadsheets, which take UTF-8 for the machine's own letters without its mark."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from benchd.texts.cells import cell
from benchd.web.records_objects import ReportObject, ShareObject

HEADER = (
    *("figure", "value", "項目", "区分", "figure_en", "value_en", "handsets"),
    *("counted_by", "lot", "consignor"),
)


def csv_of(report: ReportObject) -> bytes:
    """One line for each value of each figure; the jobs behind them stand in the JSON."""
    text = io.StringIO()
    # Each in quotes: a spreadsheet that guesses what divides cells sees where each one ends.
    lines = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    lines.writerow(HEADER)
    for line in _lines(report):
        lines.writerow([*line, "all", "", ""])
    for counted_by, shares in (("consignor", report.consignors), ("lot", report.lots)):
        for share in shares:
            # Lots and consignors are as people have typed them.
            names = (cell(share.lot), cell(share.consignor))
            for line in _lines(share):
                lines.writerow([*line, counted_by, *names])
    return codecs.BOM_UTF8 + text.getvalue().encode()


def _lines(told: ReportObject | ShareObject) -> Iterator[tuple[str | int, ...]]:
    for figure in told.figures:
        name = figure.text
        for value in figure.values:
            said = (figure.figure.value, value.value, name.ja, value.ja, name.en, value.en)
            yield (*said, value.handsets)
