"""What stories are made of: a slot of any kind, altered, struck, or with a second one beside it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from benchd.domain.job import Gate
from benchd.lab.adversity.kinds import ChipState, Kind, Numbers, Owner, Radio, Scan
from benchd.lab.adversity.schedule import BayPlan, Blow, HandsetPlan, Schedule

ASKED: Final = f"asked:{Gate.IMEI}"
CONFIRM: Final = f"asked:{Gate.CONFIRM}"
UNTOLD: Final[Mapping[str, Any]] = {"tells_imei": False, "tells_second": False}
_TOLD: Final = (Numbers.NONE, Numbers.FIRST, Numbers.BOTH)

Draw = random.Random


def bay_of(chance: Draw, number: int) -> BayPlan:
    """A slot and its handset, of any kind that may be sold."""
    chip = chance.choice((ChipState.UNUSED, ChipState.UNUSED, ChipState.IN_USE))
    dual, told = chance.random() < 0.4, chance.choice(_TOLD)
    owners = (Owner.RESET, Owner.APPS, Owner.APPS, Owner.PHOTOS)
    return BayPlan(
        slot=f"A{number}",
        handset=HandsetPlan(
            owner=chance.choice(owners),
            chip=chip,
            radio=chance.choice((Radio.SILENCES, Radio.SILENCES, Radio.APART, Radio.REFUSES)),
            dual=dual,
            tells_imei=told in (Numbers.FIRST, Numbers.BOTH),
            tells_second=dual and told is Numbers.BOTH,
            filler=chance.random() < 0.1,
        ),
        visitor=HandsetPlan(owner=chance.choice(owners), chip=chip),
        visitor_is_twin=chance.random() < 0.7,
        twin_of_first=number > 1 and chance.random() < 0.4,
        reader=chance.random() < 0.6,
        labelled=chance.random() < 0.3,
    )


def altered(
    schedule: Schedule,
    bay: BayPlan,
    handset: Mapping[str, Any],
    **slot: Any,  # noqa: ANN401 - fields of a slot's plan
) -> Schedule:
    """The same with another handset in a slot that is worked in another way."""
    new = replace(bay, handset=replace(bay.handset, **handset), **slot)
    return replace(schedule, bays=tuple(new if b.slot == bay.slot else b for b in schedule.bays))


def struck(schedule: Schedule, *blows: Blow) -> Schedule:
    """The same with more blows."""
    return replace(schedule, blows=(*schedule.blows, *blows))


def scan(bay: BayPlan, what: Scan, *, point: str = ASKED, nth: int = 1) -> Blow:
    """Another number is scanned than was asked for."""
    return Blow(slot=bay.slot, point=point, nth=nth, kind=Kind.WRONG_SCAN, what=what)


def two(chance: Draw, schedule: Schedule) -> Schedule:
    """The same with two slots."""
    if len(schedule.bays) > 1:
        return schedule
    return replace(schedule, bays=(*schedule.bays, bay_of(chance, 2)))
