"""The report: each figure is recomputed from the raw records by another way, and shows its jobs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from records_rack import START, Told, look

from benchd.domain.record import EntryKind
from benchd.domain.report import Asked, Became, Figure, Figures, Report
from benchd.ledger.records.read_model import ReadModel

BEGIN, END = START - timedelta(hours=1), START + timedelta(days=30)
TAGS = ("T1", "T2", "T3")
IMEIS = ("356938035643809", "490154203237518", "352099001761481", "353918057000009")


def report_on(
    model: ReadModel,
    told: Told,
    lot: str | None = None,
    consignor: str | None = None,
    begin: datetime = BEGIN,
    end: datetime = END,
) -> Report:
    asked = Asked(begin=begin, end=end, lot=lot, consignor=consignor)
    return look(model, told, lambda looker: looker.report(asked, named=True), quick=False)


Counts = dict[Figure, dict[str, int]]


def counts(figures: Figures) -> Counts:
    return {
        figure: {value: counted.handsets for value, counted in values.items()}
        for figure, values in figures.items()
    }


LOTS = {"L-1": "個人", "L-2": "個人", "L-3": "例示商事"}


def some_job(told: Told, job: str, chance: random.Random) -> None:
    told.open(job)
    told.inspect(job, imei=chance.choice(IMEIS), account_count=chance.choice((0, 0, 2)))
    if chance.random() < 0.8:
        told.bind(job, chance.choice(TAGS), chance.choice(list(LOTS)))
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
    """One job, or one asset that can't be plugged in, by hand."""

    opened: str
    who: object
    lot: str | None = None
    tag: object = None
    data: bool | None = None
    chips: list[str] = field(default_factory=list)
    end: dict[str, Any] | None = None

    @property
    def consignor(self) -> str | None:
        return LOTS[self.lot] if self.lot else None


def seen_by_hand(told: Told) -> list[Seen]:
    """Straight from the records, put together with a dictionary."""
    jobs: dict[str, Seen] = {}
    dead: dict[object, str] = {}
    for number, entry in enumerate(stored.entry for stored in told.stored):
        data: dict[str, Any] = dict(entry.data)
        if entry.kind is EntryKind.ASSET_UNERASABLE:
            key = dead[data["tag"]] = f"record {number}"
            end = {"outcome": "failed", "disposition": "destroy", "reason": data["reason"]}
            jobs[key] = Seen(opened=key, who=key, lot=data["lot"], tag=data["tag"], end=end)
            continue
        if entry.job is None:
            continue
        seen = jobs.setdefault(entry.job, Seen(opened=entry.job, who=entry.job))
        match entry.kind, data.get("stage"):
            case EntryKind.JOB_ENDED, _:
                seen.end = data
            case EntryKind.ASSET_BOUND, _:
                seen.lot, seen.tag = data["lot"], data["tag"]
            case EntryKind.STAGE_ENDED, "inspect":
                seen.who = data["evidence"]["imei"]
                seen.data = True if data["evidence"]["account_count"] else seen.data
            case EntryKind.STAGE_ENDED, "felica_check":
                seen.chips.append(data["evidence"]["verdict"])
            case EntryKind.STAGE_ENDED, "initialise":
                seen.data = data["outcome"] == "passed"
            case _:
                pass
    for tag, key in dead.items():
        plugged = [s.who for name, s in jobs.items() if s.tag == tag and name != key]
        jobs[key].who = plugged[-1] if plugged else key
    return list(jobs.values())


def by_hand(told: Told, keep: Callable[[Seen], bool] = lambda _: True) -> Counts:
    """The figures of what is to be kept, once more; only those that are of anything."""
    handsets: dict[object, list[Seen]] = {}
    for seen in filter(keep, seen_by_hand(told)):
        handsets.setdefault(seen.who, []).append(seen)
    figures: dict[Figure, Counter[str]] = {figure: Counter() for figure in Figure}
    for mine in handsets.values():
        figures[Figure.CAME_IN]["all"] += 1
        found = [seen.data for seen in mine if seen.data is not None]
        word = {True: "with", False: "without"}[found[0]] if found else "unknown"
        figures[Figure.WITH_DATA][word] += 1
        chips = [chip for seen in mine for chip in seen.chips]
        if any(seen.end and seen.end["reason"] == "felica_residue" for seen in mine):
            chips.append("in_use")
        first = (chips or ["unknown"])[0]
        figures[Figure.FELICA]["in_use" if "in_use" in chips else first] += 1
        count_end(figures, mine[-1].end, taken_over=has_later_job(told, mine[-1]))
    return {figure: dict(values) for figure, values in figures.items()}


def has_later_job(told: Told, last: Seen) -> bool:
    """Whether its handset was plugged in once more, in another lot."""
    later = seen_by_hand(told)
    later = later[[seen.opened for seen in later].index(last.opened) + 1 :]
    return any(seen.who == last.who and not seen.opened.startswith("record") for seen in later)


def count_end(
    figures: dict[Figure, Counter[str]], end: dict[str, Any] | None, *, taken_over: bool
) -> None:
    if end is None:
        figures[Figure.BECAME]["running"] += 1
        return
    figures[Figure.DISPOSITION][end["disposition"]] += 1
    if end["outcome"] == "failed":
        figures[Figure.NOT_ERASABLE][end["reason"]] += 1
    waits = {"sellable": "sold", "destroy": "to_destroy", "return": "to_return"}
    pulled_out = end["outcome"] == "aborted"
    tray = "run_again" if taken_over else "tray"
    figures[Figure.BECAME][tray if pulled_out else waits[end["disposition"]]] += 1


def some_days(told: Told, chance: random.Random) -> None:
    for lot, consignor in LOTS.items():
        told.lot(lot, consignor)
    tags = list(TAGS)
    for number in range(chance.randint(1, 25)):
        some_job(told, f"job-{number:03}", chance)
        if tags and chance.random() < 0.2:
            told.dead(tags.pop(), chance.choice(list(LOTS)))


@pytest.mark.parametrize("seed", range(12))
def test_each_figure_is_what_the_raw_records_say(model: ReadModel, told: Told, seed: int) -> None:
    some_days(told, random.Random(seed))
    report = report_on(model, told)
    assert counts(report.figures) == by_hand(told)
    lots = {share.lot: counts(share.figures) for share in report.lots}
    of_lots = {lot: by_hand(told, lambda seen, lot=lot: seen.lot == lot) for lot in lots}  # type: ignore[misc]
    assert lots == of_lots
    assert set(lots) == {seen.lot for seen in seen_by_hand(told)}
    consignors = {share.consignor: counts(share.figures) for share in report.consignors}
    for name, figures in consignors.items():
        assert figures == by_hand(told, lambda seen, name=name: seen.consignor == name)  # type: ignore[misc]
        [of_it] = [report_on(model, told, consignor=name or "").figures]
        assert counts(of_it) == figures
    for lot, figures in lots.items():
        assert counts(report_on(model, told, lot=lot or "").figures) == figures
    assert set(consignors) == {seen.consignor for seen in seen_by_hand(told)}


def test_each_handset_counts_once_and_shows_one_job(model: ReadModel, told: Told) -> None:
    told.whole("job-1")
    told.whole("job-2")
    told.whole("job-3", imei="490154203237518")
    report = report_on(model, told)
    assert report.figures[Figure.CAME_IN]["all"].jobs == ("job-2", "job-3")
    for figure in (Figure.WITH_DATA, Figure.FELICA, Figure.DISPOSITION, Figure.BECAME):
        jobs = [job for of in report.figures[figure].values() for job in of.jobs]
        assert sorted(jobs) == ["job-2", "job-3"], figure


IN_JAPAN = datetime(2026, 11, 4, tzinfo=timezone(timedelta(hours=9)))


@pytest.mark.parametrize(
    ("begin", "end"),
    [(BEGIN, END), (IN_JAPAN, IN_JAPAN + timedelta(days=1))],
    ids=["a time", "a day of the rack, wherever it stands"],
)
def test_only_what_was_opened_in_the_time_counts(
    model: ReadModel, told: Told, begin: datetime, end: datetime
) -> None:
    moment = timedelta(microseconds=1)
    told.open("early", (begin - moment).astimezone(UTC))
    told.open("first", begin.astimezone(UTC))
    told.open("last", (end - moment).astimezone(UTC))
    told.open("late", end.astimezone(UTC))
    report = report_on(model, told, begin=begin, end=end)
    assert report.figures[Figure.CAME_IN]["all"].jobs == ("first", "last")
    assert counts(report.figures)[Figure.BECAME] == {Became.RUNNING: 2}
