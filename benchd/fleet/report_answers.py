"""The report and the racks' states as the pages are told them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from benchd.domain.ids import JsonObject, JsonValue
from benchd.domain.report import Figure, Figures, Share
from benchd.fleet.fleet_report import AskedOfFleet, FleetReport, summary_of
from benchd.fleet.rack_states import Ended, RackLine
from benchd.texts.catalogue import Catalogue


def report_json(
    report: FleetReport, asked: AskedOfFleet, days: tuple[date, date], zone: str, words: Catalogue
) -> dict[str, JsonValue]:
    """The figures by the names that a rack's own report has for them."""
    return {
        "from": days[0].isoformat(),
        "to": days[1].isoformat(),
        "begin": asked.begin.isoformat(),
        "end": asked.end.isoformat(),
        "zone": zone,
        "rack": asked.rack,
        "lot": asked.lot,
        "consignor": asked.consignor,
        "summary": _summary(report.figures),
        "figures": _figures(report.figures, words),
        "racks": [{"rack": each.rack, **_share(each.figures, words)} for each in report.racks],
        "lots": [_of(each, words, "lot", "consignor") for each in report.lots],
        "consignors": [_of(each, words, "consignor") for each in report.consignors],
        "more": report.more,
    }


def line_json(line: RackLine) -> JsonObject:
    """One line of a rack's records."""
    heard, since = line.heard_at, line.waiting_since
    return {
        "name": line.name,
        "branch": line.branch,
        "why": line.why,
        "left_at": line.left_at,
        "sequence": line.sequence,
        "heard_at": None if heard is None else heard.isoformat(timespec="seconds"),
        "version": line.version,
        "lag_s": line.lag_s,
        "uncounted": line.uncounted,
        "is_newest": line.is_newest,
        "waiting": line.waiting,
        "waiting_since": None if since is None else since.isoformat(timespec="seconds"),
    }


def yields_json(day: Sequence[Ended], month: Sequence[Ended]) -> list[JsonValue]:
    """Per rack the jobs that have ended, and how many of them have passed."""
    today = {each.name: each for each in day}
    return [
        {
            "name": each.name,
            "today": _ended(today.get(each.name)),
            "month": _ended(each),
        }
        for each in month
    ]


def _ended(told: Ended | None) -> JsonObject:
    return {"ended": told.ended if told else 0, "passed": told.passed if told else 0}


def _of(share: Share, words: Catalogue, *names: str) -> JsonValue:
    told: dict[str, JsonValue] = {"lot": share.lot, "consignor": share.consignor}
    return {**{name: told[name] for name in names}, **_share(share.figures, words)}


def _share(figures: Figures, words: Catalogue) -> dict[str, JsonValue]:
    return {"summary": _summary(figures), "figures": _figures(figures, words)}


def _summary(figures: Figures) -> JsonValue:
    summary = summary_of(figures)
    return {
        "came_in": summary.came_in,
        "certified": summary.certified,
        "returned": summary.returned,
        "destroyed": summary.destroyed,
        "waiting": summary.waiting,
        "running": summary.running,
        "not_erasable": summary.not_erasable,
        "yield": summary.certified_share,
    }


def _figures(figures: Figures, words: Catalogue) -> list[JsonValue]:
    told: list[JsonValue] = []
    for figure in Figure:
        values: list[JsonValue] = []
        for value, counted in figures[figure].items():
            text = words.figure_value(figure, value)
            named: JsonObject = {"ja": text.ja, "en": text.en}
            values.append({"value": value, "text": named, "handsets": counted.handsets})
        name = words.text(f"figure.{figure}")
        told.append({"figure": figure, "text": {"ja": name.ja, "en": name.en}, "values": values})
    return told
