"""A failing schedule made short: what isn't needed for the fault is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace

from benchd.lab.adversity.schedule import BayPlan, HandsetPlan, Schedule, Visit

Fails = Callable[[Schedule], bool]


def shrunk(schedule: Schedule, fails: Fails) -> Schedule:
    """A schedule that fails as this one does, and of which nothing more can be left out."""
    smaller = next((each for each in _smaller(schedule) if fails(each)), None)
    while smaller is not None:
        schedule = smaller
        smaller = next((each for each in _smaller(schedule) if fails(each)), None)
    return schedule


def _smaller(schedule: Schedule) -> Iterator[Schedule]:
    """All that is one step simpler, the largest steps first."""
    blows = schedule.blows
    size = len(blows)
    while size:
        for start in range(0, len(blows), size):
            yield replace(schedule, blows=blows[:start] + blows[start + size :])
        size //= 2
    yield from _simpler_racks(schedule)
    for bay in schedule.bays:
        if len(schedule.bays) > 1:
            yield _without(schedule, bay)
    for bay in schedule.bays:
        for simpler in _simpler_bays(bay):
            yield replace(
                schedule,
                bays=tuple(simpler if each is bay else each for each in schedule.bays),
            )
    for number, blow in enumerate(blows):
        if blow.nth > 1:
            sooner = replace(blow, nth=1)
            yield replace(schedule, blows=(*blows[:number], sooner, *blows[number + 1 :]))


def _simpler_racks(schedule: Schedule) -> Iterator[Schedule]:
    for name in ("anchored", "lot", "exchanged"):
        if getattr(schedule, name):
            yield replace(schedule, **{name: False})
    if schedule.behind_days:
        yield replace(schedule, behind_days=0.0)
    visits = schedule.visits
    for number, visit in enumerate(visits):
        around = visits[:number], visits[number + 1 :]
        yield replace(schedule, visits=(*around[0], *around[1]))
        plain = Visit(handset=visit.handset, into=visit.into)
        for field in fields(Visit):
            if getattr(visit, field.name) != getattr(plain, field.name):
                simpler = replace(visit, **{field.name: getattr(plain, field.name)})
                yield replace(schedule, visits=(*around[0], simpler, *around[1]))


def _without(schedule: Schedule, bay: BayPlan) -> Schedule:
    return replace(
        schedule,
        bays=tuple(each for each in schedule.bays if each is not bay),
        blows=tuple(blow for blow in schedule.blows if blow.slot != bay.slot),
        visits=tuple(v for v in schedule.visits if bay.slot not in (v.handset, v.into)),
    )


def _simpler_bays(bay: BayPlan) -> Iterator[BayPlan]:
    plain = BayPlan(slot=bay.slot, handset=HandsetPlan())
    for name in (
        "handset",
        "visitor",
        "visitor_is_twin",
        "twin_of_first",
        "reader",
        "waits",
        "picture",
        "labelled",
        "coverage",
        "late_s",
        "looked_up_days",
    ):
        if getattr(bay, name) != getattr(plain, name):
            yield replace(bay, **{name: getattr(plain, name)})
    if bay.lax_recipe:
        yield replace(bay, lax_recipe=False)
    for whose in ("handset", "visitor"):
        plan: HandsetPlan = getattr(bay, whose)
        for field in fields(HandsetPlan):
            if getattr(plan, field.name) != getattr(HandsetPlan(), field.name):
                simpler = replace(plan, **{field.name: getattr(HandsetPlan(), field.name)})
                yield replace(bay, **{whose: simpler})
