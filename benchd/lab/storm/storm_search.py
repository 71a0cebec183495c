"""Storm after storm, in as many processes as there are to be, and what fails made short."""

from __future__ import annotations

import gc
import json
import logging
import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import structlog

from benchd.lab.storm.storm_folder import memory, move_into
from benchd.lab.storm.storm_run import Verdict, run_storm
from benchd.lab.storm.storm_schedule import Storm, draw

PIECE = 8
"""How many seeds a process is given at a time."""


@dataclass(slots=True)
class Tally:
    """What a search has played."""

    storms: int = 0
    asked: int = 0
    virtual_s: float = 0.0
    strikes: Counter[str] = field(default_factory=Counter[str])
    ends: Counter[str] = field(default_factory=Counter[str])

    def count(self, storm: Storm, verdict: Verdict) -> None:
        """Add one storm."""
        self.storms += 1
        self.asked += verdict.asked
        self.virtual_s += verdict.took_s
        self.strikes.update(strike.kind for strike in storm.strikes)
        self.ends.update(str(end[1] or end[2] or "open") for end in verdict.ends.values())


def quiet() -> None:
    """What the daemon has to say of each isn't wanted."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    gc.freeze()


def search(seeds: Iterable[int], *, jobs: int = 1) -> Iterator[tuple[int, Verdict]]:
    """Each seed's verdict, in their order."""
    if jobs == 1:
        yield from ((seed, run_storm(draw(seed))) for seed in seeds)
        return
    fresh = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="storms-", dir=memory()) as folder,
        fresh.Pool(jobs, _begin, (folder,)) as pool,
    ):
        yield from pool.imap(_one, seeds, chunksize=PIECE)


def _begin(folder: str) -> None:
    """In a process of its own, which may be ended at any time: whoever began it cleans up."""
    tempfile.tempdir = folder
    move_into(Path(folder))
    quiet()


def _one(seed: int) -> tuple[int, Verdict]:
    return seed, run_storm(draw(seed))


def shrunk(storm: Storm, fails: Callable[[Storm], bool]) -> Storm:
    """As little of it as still fails."""
    smaller = True
    while smaller:
        smaller = False
        for less in _less(storm):
            if fails(less):
                storm, smaller = less, True
                break
    return storm


def _less(storm: Storm) -> Iterator[Storm]:
    for strike in storm.strikes:
        others = tuple(each for each in storm.strikes if each is not strike)
        yield replace(storm, strikes=others)
    for change in ({"next_release": False}, {"unanswered": False}, {"signals": 1}):
        [(name, plain)] = change.items()
        if getattr(storm, name) != plain:
            yield replace(storm, **change)  # pyright: ignore[reportArgumentType]
    if len(storm.bays) > 1:
        yield from (
            replace(storm, bays=tuple(bay for bay in storm.bays if bay is not one))
            for one in storm.bays[1:]
        )


def breaks_like(verdict: Verdict) -> Callable[[Storm], bool]:
    """Whether a storm breaks one of the rules that another has broken."""
    rules = {fault.rule for fault in verdict.faults}
    return lambda storm: bool(rules & {fault.rule for fault in run_storm(storm).faults})


def told(storm: Storm) -> str:
    """A storm, to be read."""
    strikes = [{k: v for k, v in asdict(each).items() if v} for each in storm.strikes]
    said = {
        "slots": len(storm.bays),
        "next_release": storm.next_release,
        "unanswered": storm.unanswered,
        "signals": storm.signals,
    }
    lines = [json.dumps(said), *(f"  {json.dumps(strike)}" for strike in strikes)]
    return "\n".join(lines)
