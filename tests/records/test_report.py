"""The report: each figure is recomputed from the raw records by another way, and shows its jobs."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from records_rack import START, Told

from benchd.records.looking import Looker
from benchd.records.model import ReadModel
from benchd.records.report import report_of
from benchd.words.record import EntryKind
from benchd.words.report import Became, Figure, Report

BEGIN, END = START - timedelta(hours=1), START + timedelta(days=30)
IMEIS = ("356938035643809", "490154203237518", "352099001761481", "353918057000009")


def report_on(model: ReadModel, told: Told, lot: str | None = None) -> Report:
    model.take(told.stored[model.upto().sequence :])

    def ask(looker: Looker) -> Report:
        return report_of(looker.jobs_between(BEGIN, END, lot), begin=BEGIN, end=END, lot=lot)

    return model.look(ask, quick=False)


def counts(report: Report, figure: Figure) -> dict[str, int]:
    return {value: len(jobs) for value, jobs in report.figures[figure].items()}


def some_job(told: Told, job: str, chance: random.Random) -> None:
    told.open(job)
    told.inspect(job, imei=chance.choice(IMEIS), account_count=chance.choice((0, 0, 2)))
    if chance.random() < 0.7:
        told.chip(job, chance.choice(("unused", "in_use", "silent")))
    if chance.random() < 0.7:
        told.initialise(job, arrived_reset=chance.random() < 0.5)
    match chance.randrange(5):
        case 0:
            told.sell(job)
        case 1:
            told.end(job, "failed", "destroy", "felica_residue")
        case 2:
            told.end(job, "failed", "return", "managed_device")
        case 3:
            told.end(job, "aborted", "hold", "unplugged")
        case _:
            pass


@dataclass
class Seen:
    """One job, by hand."""

    imei: object = None
    data: bool | None = None
    chips: list[str] = field(default_factory=list)
    end: dict[str, Any] | None = None


def seen_by_hand(told: Told) -> dict[object, list[Seen]]:
    """Straight from the records, put together by IMEI with a dictionary."""
    jobs: dict[str, Seen] = {}
    for entry in (stored.entry for stored in told.stored):
        data: dict[str, Any] = dict(entry.data)
        seen = jobs.setdefault(str(entry.job), Seen())
        match entry.kind, data.get("stage"):
            case EntryKind.JOB_ENDED, _:
                seen.end = data
            case EntryKind.STAGE_ENDED, "inspect":
                seen.imei = data["evidence"]["imei"]
                seen.data = True if data["evidence"]["account_count"] else seen.data
            case EntryKind.STAGE_ENDED, "felica_check":
                seen.chips.append(data["evidence"]["verdict"])
            case EntryKind.STAGE_ENDED, "initialise":
                seen.data = data["outcome"] == "passed"
            case _:
                pass
    handsets: dict[object, list[Seen]] = {}
    for seen in jobs.values():
        handsets.setdefault(seen.imei, []).append(seen)
    return handsets


def by_hand(told: Told) -> dict[Figure, Counter[str]]:
    """The figures, once more."""
    figures: dict[Figure, Counter[str]] = {figure: Counter() for figure in Figure}
    for mine in seen_by_hand(told).values():
        figures[Figure.CAME_IN]["all"] += 1
        found = [seen.data for seen in mine if seen.data is not None]
        word = {True: "with", False: "without"}[found[0]] if found else "unknown"
        figures[Figure.WITH_DATA][word] += 1
        chips = [chip for seen in mine for chip in seen.chips]
        if any(seen.end and seen.end["reason"] == "felica_residue" for seen in mine):
            chips.append("in_use")
        first = (chips or ["unknown"])[0]
        figures[Figure.FELICA]["in_use" if "in_use" in chips else first] += 1
        count_end(figures, mine[-1].end)
    return figures


def count_end(figures: dict[Figure, Counter[str]], end: dict[str, Any] | None) -> None:
    if end is None:
        figures[Figure.BECAME]["running"] += 1
        return
    figures[Figure.DISPOSITION][end["disposition"]] += 1
    if end["outcome"] == "failed":
        figures[Figure.NOT_ERASABLE][end["reason"]] += 1
    waits = {"sellable": "sold", "destroy": "to_destroy", "return": "to_return"}
    pulled_out = end["outcome"] == "aborted"
    figures[Figure.BECAME]["tray" if pulled_out else waits[end["disposition"]]] += 1


@pytest.mark.parametrize("seed", range(12))
def test_each_figure_is_what_the_raw_records_say(model: ReadModel, told: Told, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(chance.randint(1, 25)):
        some_job(told, f"job-{number:03}", chance)
    report = report_on(model, told)
    expected = by_hand(told)
    for figure in Figure:
        assert counts(report, figure) == dict(expected[figure]), figure


def test_each_handset_counts_once_and_shows_one_job(model: ReadModel, told: Told) -> None:
    told.whole("job-1")
    told.whole("job-2")
    told.whole("job-3", imei="490154203237518")
    report = report_on(model, told)
    assert report.figures[Figure.CAME_IN] == {"all": ("job-2", "job-3")}
    for figure in (Figure.WITH_DATA, Figure.FELICA, Figure.DISPOSITION, Figure.BECAME):
        jobs = [job for of in report.figures[figure].values() for job in of]
        assert sorted(jobs) == ["job-2", "job-3"], figure


def test_only_what_was_opened_in_the_time_counts(model: ReadModel, told: Told) -> None:
    told.open("early", BEGIN - timedelta(microseconds=1))
    told.open("first", BEGIN)
    told.open("last", END - timedelta(microseconds=1))
    told.open("late", END)
    report = report_on(model, told)
    assert report.figures[Figure.CAME_IN]["all"] == ("first", "last")
    assert counts(report, Figure.BECAME) == {Became.RUNNING: 2}


def test_a_lot_is_a_filter(model: ReadModel, told: Told) -> None:
    told.open("job-1", lot="L-7")
    told.open("job-2")
    assert report_on(model, told, "L-7").figures[Figure.CAME_IN] == {"all": ("job-1",)}
    assert report_on(model, told, "L-8").figures[Figure.CAME_IN] == {}
