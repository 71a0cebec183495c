"""Racks on which people and papers err, one at a time: drawn by a chance of their own.

Each seed that has one plays it besides its storm, so that what a seed drew before stays as it was.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

from benchd.domain.job import Gate
from benchd.lab.adversity.kinds import Kind
from benchd.lab.adversity.rows import ALL
from benchd.lab.adversity.schedule import Blow, Schedule
from benchd.lab.adversity.stories import OPEN_STORIES, STORIES, nothing_wrong
from benchd.lab.adversity.story_parts import Draw, bay_of

SHARE: Final = 0.3
"""Of how many seeds such a rack is played too."""
_GENTLE: Final = (Kind.PULL, Kind.FLAP, Kind.GONE, Kind.TRANSIENT, Kind.CRASH, Kind.RELOAD)
_WHERE: Final = (
    *("inspect", "fill_step", "check", "scan"),
    *(f"asked:{Gate.CONFIRM}", f"asked:{Gate.OBSERVE}"),
)


def mishap_of(
    seed: int, *, rows: frozenset[int] = ALL, share: float = SHARE, open_too: bool = False
) -> Schedule | None:
    """The rack of a seed on which somebody errs, in these rows; None for most seeds."""
    chance = random.Random(f"{seed} and somebody errs")  # noqa: S311 - as in the drawing
    if chance.random() > share:
        return None
    stories = (*STORIES, *(OPEN_STORIES if open_too else ()))
    told = [(0, nothing_wrong), *((row, story) for row, story in stories if row in rows)]
    row, story = chance.choice(told)
    schedule = story(chance, _plain(chance, seed))
    return replace(schedule, mishap=True, rows=(row,) if row else ())


def _plain(chance: Draw, seed: int) -> Schedule:
    """A rack of all kinds of handsets, on which little strikes."""
    bays = tuple(bay_of(chance, number) for number in range(1, chance.choice((1, 2, 2)) + 1))
    blows = [
        Blow(
            slot=chance.choice(bays).slot,
            point=chance.choice(_WHERE),
            nth=1,
            kind=chance.choice(_GENTLE),
            lasts_s=5.0,
        )
        for _ in range(chance.choice((0, 0, 1)))
    ]
    lot = chance.random() < 0.7
    return Schedule(seed=seed, bays=bays, blows=tuple(blows), lot=lot)
