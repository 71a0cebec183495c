"""A shift's figures: each recounted from the raw records by plain code of its own."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from records_rack import START, Told, look

from benchd.domain.disposal import DisposalState
from benchd.domain.ids import SlotName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.shift import FailedBy, Shift, ShiftFigures, Went
from benchd.ledger.records.read_model import ReadModel

IMEIS = ("356938035643809", "490154203237518", "352099001761481", "353918057000009")
CERTIFIED, LOOKED_AT = "old", "354066053467831"
"""A handset that is certified, before the shift or in it, and then only looked at."""
MODELS = ("SO-51B", "SH-53C", "F-51B")
SLOTS = ("A1", "A2", "B1")
ENDS = (
    ("passed", "sellable", None, "cert"),
    ("passed", "sellable", None, None),
    ("passed", "hold", "rechecked", None),
    ("failed", "destroy", "felica_residue", None),
    ("failed", "return", "managed_device", None),
    ("failed", "hold", "coverage_too_low", None),
    ("aborted", "hold", "unplugged", None),
    ("interrupted", "hold", "daemon_stopped", None),
)
SHIFT = Shift(begin=START + timedelta(minutes=20), end=START + timedelta(hours=6, minutes=50))


def shift_of(model: ReadModel, told: Told, shift: Shift = SHIFT) -> ShiftFigures:
    return look(model, told, lambda looker: looker.shift(shift), quick=False)


def some_hours(told: Told, chance: random.Random) -> None:
    """Jobs that overlap as they do on a rack: each step is of any that is open."""
    slot: dict[str, str] = {}
    certified_at = chance.choice((0, 10))
    for number in range(chance.randint(5, 60)):
        if number == certified_at:
            told.open(CERTIFIED)
            told.inspect(CERTIFIED, imei=LOOKED_AT)
            told.bind(CERTIFIED, "T-old")
            told.sell(CERTIFIED)
        elif number > certified_at and chance.random() < 0.1:
            told.open(f"look-{number:03}")
            told.bind(f"look-{number:03}", "T-old")
            told.end(f"look-{number:03}", "passed", "hold", "rechecked")
        job = f"job-{number:03}"
        slot[job] = chance.choice(SLOTS)
        told.open(job)
        if chance.random() < 0.9:
            told.inspect(job, imei=chance.choice(IMEIS), model=chance.choice(MODELS))
        if chance.random() < 0.1:
            told.dead(f"T-{number}")
        while len(slot) > chance.randint(0, 4):
            ended = chance.choice(list(slot))
            outcome, goes, reason, certificate = chance.choice(ENDS)
            told.end(ended, outcome, goes, reason, certificate)
            told.stored[-1] = on(told.stored[-1], slot.pop(ended))
    for place, stored in enumerate(told.stored):
        if stored.entry.kind is EntryKind.JOB_OPENED and stored.entry.job:
            of = [s.entry.slot for s in told.stored if s.entry.job == stored.entry.job]
            told.stored[place] = on(stored, str(of[-1]))


def on(stored: StoredEntry, slot: str) -> StoredEntry:
    return replace(stored, entry=replace(stored.entry, slot=SlotName(slot)))


@dataclass
class Seen:
    """What the raw records of each job say."""

    imei: dict[str, str] = field(default_factory=dict)
    model: dict[str, str] = field(default_factory=dict)
    slot: dict[str, str] = field(default_factory=dict)
    ends: list[tuple[str, datetime, dict[str, Any]]] = field(default_factory=list)


def seen_by_hand(told: Told) -> Seen:
    seen = Seen()
    for entry in (stored.entry for stored in told.stored):
        data: dict[str, Any] = dict(entry.data)
        job = str(entry.job)
        if entry.kind is EntryKind.JOB_OPENED:
            seen.slot[job] = str(entry.slot)
        elif entry.kind is EntryKind.STAGE_ENDED:
            seen.imei[job] = data["evidence"]["imei"]
            seen.model[job] = "Sony " + data["evidence"]["model"]
        elif entry.kind is EntryKind.JOB_ENDED:
            seen.ends.append((job, entry.at, data))
    return seen


def where_by_hand(data: dict[str, Any]) -> str:
    if data["outcome"] in ("aborted", "interrupted"):
        return "tray"
    if data["disposition"] in ("return", "destroy"):
        return f"to_{data['disposition']}"
    return "sold" if data["disposition"] == "sellable" and data["certificate"] else "held"


def last_by_hand(
    seen: Seen, ends: list[tuple[str, datetime, dict[str, Any]]]
) -> list[tuple[str, datetime, dict[str, Any]]]:
    """A look counts only where nothing before it of its handset does."""
    newest: dict[str, tuple[str, datetime, dict[str, Any]]] = {}
    for one in ends:
        who = LOOKED_AT if one[0].startswith("look-") else seen.imei.get(one[0], one[0])
        if who != LOOKED_AT or who not in newest:
            newest[who] = one
    return sorted(newest.values())


def by_hand(told: Told, begin: datetime, end: datetime) -> dict[str, Any]:
    """The same, straight from the records."""
    seen = seen_by_hand(told)
    ends = [one for one in seen.ends if begin <= one[1] < end]
    went: dict[str, set[str]] = {where: set() for where in Went}
    hours: list[tuple[list[str], list[str]]] = [([], []) for _ in range(7)]
    for job, at, data in last_by_hand(seen, ends):
        where = "rechecked" if job.startswith("look-") else where_by_hand(data)
        went[where].add(job)
        done, sold = hours[int((at - begin).total_seconds() // 3600)]
        done.append(job)
        sold.extend([job] if where in ("sold", "rechecked") else [])
    failed: dict[str, dict[str, set[str]]] = {by: defaultdict(set) for by in FailedBy}
    ended: dict[str, Counter[str]] = {by: Counter() for by in FailedBy}
    for job, _, data in ends:
        of = {"model": seen.model.get(job, ""), "slot": seen.slot[job], "reason": data["reason"]}
        for by, value in of.items():
            ended[by][value or ""] += 1
            if data["outcome"] != "passed":
                failed[by][value or ""].add(job)
    ended["reason"] = Counter(dict.fromkeys(failed["reason"], len(ends)))
    return {
        "went": went,
        "hours": hours,
        "failed": {by: dict(values) for by, values in failed.items()},
        "ended": {by: {value: ended[by][value] for value in failed[by]} for by in FailedBy},
        "jobs": len(ends),
    }


@pytest.mark.parametrize("seed", range(25))
def test_each_figure_is_what_the_raw_records_say(model: ReadModel, told: Told, seed: int) -> None:
    some_hours(told, random.Random(seed))
    figures = shift_of(model, told)
    truth = by_hand(told, SHIFT.begin, SHIFT.end)
    assert {where: set(jobs) for where, jobs in figures.went.items()} == truth["went"]
    assert [(sorted(hour.done), sorted(hour.sold)) for hour in figures.hours] == truth["hours"]
    assert figures.jobs == truth["jobs"]
    for by in FailedBy:
        found = figures.failures[by]
        assert {one.value: set(one.failed) for one in found} == truth["failed"][by]
        assert {one.value: one.ended for one in found} == truth["ended"][by]
        counts = [len(one.failed) for one in found]
        assert counts == sorted(counts, reverse=True)
        assert sorted(job for one in found for job in one.failed) == sorted(figures.failed)
    assert figures.handsets == sum(len(hour.done) for hour in figures.hours)
    sold = len(truth["went"]["sold"]) + len(truth["went"]["rechecked"])
    assert figures.share_sold == (sold / figures.handsets if figures.handsets else None)


def test_the_draws_show_every_way_to_end_and_handsets_that_come_again() -> None:
    went: Counter[str] = Counter()
    jobs = 0
    for seed in range(25):
        told = Told()
        some_hours(told, random.Random(seed))
        truth = by_hand(told, SHIFT.begin, SHIFT.end)
        went.update({where: len(found) for where, found in truth["went"].items()})
        jobs += truth["jobs"]
    assert min(went[where] for where in Went) > 3
    assert went.total() < jobs


def test_a_shift_begins_with_its_first_moment_and_ends_before_its_last(
    model: ReadModel, told: Told
) -> None:
    japan = timezone(timedelta(hours=9))
    begin = datetime(2026, 11, 4, 8, tzinfo=japan)
    end = begin + timedelta(hours=9)
    for job, at in (
        ("before", begin - timedelta(microseconds=1)),
        ("first", begin),
        ("last", end - timedelta(microseconds=1)),
        ("after", end),
    ):
        told.open(job)
        told.end(job)
        told.stored[-1] = replace(
            told.stored[-1], entry=replace(told.stored[-1].entry, at=at.astimezone(UTC))
        )
    figures = shift_of(model, told, Shift(begin=begin, end=end))
    assert sorted(figures.failed) == ["first", "last"]
    assert [len(hour.done) for hour in figures.hours] == [1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert figures.per_hour(begin + timedelta(minutes=59)) is None
    assert figures.per_hour(begin + timedelta(hours=4)) == 0.5
    assert figures.per_hour(end + timedelta(hours=20)) == pytest.approx(2 / 9)


def test_what_runs_counts_nowhere_and_an_empty_shift_has_no_share(
    model: ReadModel, told: Told
) -> None:
    told.open("job-1")
    told.inspect("job-1")
    figures = shift_of(model, told)
    assert (figures.handsets, figures.jobs, figures.share_sold) == (0, 0, None)
    assert len(figures.hours) == 7


def test_bins_count_what_waits_and_name_the_oldest(model: ReadModel, told: Told) -> None:
    for number in range(3):
        told.open(f"job-{number}")
        told.end(f"job-{number}", "failed", "destroy", "felica_residue")
    told.settle("job-0", "to_destroy", "destroyed", recycler="例示リサイクル", number="R-7")
    bins = {one.state: one for one in look(model, told, lambda looker: looker.bins())}
    assert bins[DisposalState.TO_DESTROY].handsets == 2
    oldest = bins[DisposalState.TO_DESTROY].oldest
    assert oldest is not None
    assert oldest.job == "job-1"
    assert (bins[DisposalState.TRAY].handsets, bins[DisposalState.TRAY].oldest) == (0, None)


def test_who_came_into_a_state_last_is_its_last_however_old_its_job(
    model: ReadModel, told: Told
) -> None:
    for number in range(2):
        told.open(f"job-{number}")
        told.end(f"job-{number}")
    for job in ("job-1", "job-0"):
        told.settle(job, "held", "to_return")
    lines = look(model, told, lambda looker: looker.items((DisposalState.TO_RETURN,)))
    assert [line.job.job for line in lines] == ["job-1", "job-0"]
    bins = {one.state: one for one in look(model, told, lambda looker: looker.bins())}
    longest = bins[DisposalState.TO_RETURN].oldest
    assert longest is not None
    assert longest.job == "job-1"
