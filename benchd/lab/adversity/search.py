"""Seed after seed: what was drawn, what came of it, and the first schedule that broke a rule."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace

from benchd.lab.adversity.drawing import draw
from benchd.lab.adversity.kinds import OF_THE_RACK, Lie, Picture
from benchd.lab.adversity.mishaps import mishap_of
from benchd.lab.adversity.referee import End, Fault
from benchd.lab.adversity.schedule import Schedule
from benchd.lab.adversity.schedule_run import Verdict, run_schedule
from benchd.lab.adversity.shrinking import shrunk

NEIGHBOURS_EVERY = 8
"""Of how many seeds one is run again without the blows of one slot."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a search has drawn and seen."""

    schedules: int = 0
    """Of storms and of mishaps; the handsets are those of storms."""
    handsets: int = 0
    sellable: int = 0
    honest: int = 0
    with_mishaps: Counter[str] = field(default_factory=Counter[str])
    """The same numbers of racks on which somebody errs."""
    doomed: int = 0
    """Honest handsets that were to be destroyed, in storms or not."""
    blows: Counter[str] = field(default_factory=Counter[str])
    lies: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])
    took_s: float = 0.0

    def count(self, schedule: Schedule, verdict: Verdict) -> None:
        """Add one schedule."""
        self.schedules += 1
        self.doomed += verdict.doomed
        honest = sum(map(schedule.is_honest, schedule.bays))
        if schedule.mishap:
            told = {"racks": 1, "handsets": verdict.handsets, "sellable": verdict.sellable}
            self.with_mishaps.update({**told, "honest": honest})
        else:
            self.handsets += verdict.handsets
            self.sellable += verdict.sellable
            self.honest += honest
        self.blows.update(blow.kind for blow in verdict.struck)
        self.lies.update(bay.handset.lie for bay in schedule.bays)
        pictures = [bay.picture for bay in schedule.bays if bay.picture is not Picture.NONE]
        self.lies.update(f"picture {kind}" for kind in pictures)
        self.reasons.update(end.reason or end.disposition for end in verdict.ends)

    def add(self, other: Tally) -> None:
        """Add all that another search has seen."""
        for each in fields(self):
            # Numbers and counters alike.
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @property
    def rate(self) -> float:
        """Schedules per second."""
        return self.schedules / self.took_s if self.took_s else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A schedule that breaks a rule, as it was drawn and made short."""

    seed: int
    schedule: Schedule
    faults: tuple[Fault, ...]


def schedules_of(seed: int) -> tuple[Schedule, ...]:
    """All that a seed plays: its storm, and of some a rack on which somebody errs."""
    mishap = mishap_of(seed)
    return (draw(seed),) if mishap is None else (draw(seed), mishap)


def search(
    seeds: Iterator[int],
    tally: Tally,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[int, Schedule, tuple[Fault, ...]]]:
    """Run seed after seed; gives the schedules that break a rule, as drawn."""
    for seed in seeds:
        if stop():
            return
        for schedule in schedules_of(seed):
            began_s = time.process_time()
            faults = faults_of(schedule, tally)
            tally.took_s += time.process_time() - began_s
            if faults:
                yield seed, schedule, faults


def faults_of(schedule: Schedule, tally: Tally | None = None) -> tuple[Fault, ...]:
    """Every rule that a schedule breaks; some are also asked whether slots leave each other be."""
    verdict = run_schedule(schedule)
    if tally is not None:
        tally.count(schedule, verdict)
    if schedule.seed % NEIGHBOURS_EVERY or schedule.mishap:
        return verdict.faults
    return (*verdict.faults, *_faults_of_neighbours(schedule, verdict))


def _faults_of_neighbours(schedule: Schedule, verdict: Verdict) -> Sequence[Fault]:
    """Whether the other slots end the same when one slot isn't struck."""
    struck = [blow.slot for blow in verdict.struck]
    shared = any(blow.kind in OF_THE_RACK for blow in schedule.blows)
    donors = any(bay.handset.lie is Lie.DONOR for bay in schedule.bays)
    # Whose serial a neighbour has too may be the neighbour: what becomes of one asks of the other.
    twins = any(bay.twin_of_first for bay in schedule.bays)
    if shared or donors or twins or not struck or len(schedule.bays) == 1:
        return ()
    spared = replace(
        schedule, blows=tuple(blow for blow in schedule.blows if blow.slot != struck[0])
    )
    others = run_schedule(spared)
    return [
        Fault(rule="slots leave each other be", slot=bay.slot, detail=f"without {struck[0]}'s")
        for bay in schedule.bays
        if bay.slot != struck[0]
        and _ends_in(verdict.ends, bay.slot) != _ends_in(others.ends, bay.slot)
    ]


def _ends_in(ends: Sequence[End], slot: str) -> list[End]:
    return [end for end in ends if end.slot == slot]


def made_short(seed: int, schedule: Schedule, faults: Sequence[Fault]) -> Found:
    """The shortest schedule that is found to break the same rule."""
    rule = faults[0].rule

    def breaks_it(each: Schedule) -> bool:
        return any(fault.rule == rule for fault in faults_of(each))

    short = shrunk(schedule, breaks_it)
    return Found(seed=seed, schedule=short, faults=faults_of(short))
