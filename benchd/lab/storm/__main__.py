"""`scripts/storm`: visitors and mishaps by the seed, or known holes put back."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Sequence

import anyio

from benchd.lab.storm.real import run_real
from benchd.lab.storm.storm_folder import leave_house
from benchd.lab.storm.storm_holes import Hole
from benchd.lab.storm.storm_row_holes import ROW_HOLES
from benchd.lab.storm.storm_run import run_storm
from benchd.lab.storm.storm_schedule import draw
from benchd.lab.storm.storm_search import Tally, breaks_like, quiet, search, shrunk, told

SEEDS = 100
SEEDS_FOR_A_HOLE = 600
TOLD_EVERY = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when no rule was broken, or when every hole was found."""
    asked = _parser().parse_args(arguments)
    quiet()
    first = asked.start if asked.seed is None else asked.seed
    count = 1 if asked.seed is not None else asked.seeds or (1 if asked.real else SEEDS)
    seeds = range(first, first + count)
    try:
        if asked.real:
            return _really(seeds, seconds=asked.seconds, count=asked.count)
        if asked.holes:
            return _look_for_holes(range(asked.start, asked.start + SEEDS_FOR_A_HOLE))
        return _look(seeds, jobs=asked.jobs if count > 1 else 1)
    finally:
        leave_house()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/storm", description=__doc__)
    parser.add_argument("--seeds", type=int, default=None, help=f"how many (default {SEEDS})")
    parser.add_argument("--seed", type=int, default=None, help="this one alone")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--jobs", type=int, default=cores, help="processes (default: by cores)")
    parser.add_argument("--holes", action="store_true", help="put known holes back and look")
    parser.add_argument("--real", action="store_true", help="real sockets and processes")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each real one lasts")
    parser.add_argument("--count", type=int, default=64, help="handsets of a real one")
    return parser


def _look(seeds: Iterable[int], *, jobs: int) -> int:
    tally, began_s = Tally(), time.monotonic()
    for seed, verdict in search(seeds, jobs=jobs):
        tally.count(draw(seed), verdict)
        if tally.storms % TOLD_EVERY == 0:
            _say(f"{tally.storms} storms so far")
        if verdict.faults:
            short = shrunk(draw(seed), breaks_like(verdict))
            faults = run_storm(short).faults
            _say(f"seed {seed}:", *[f"  {fault}" for fault in verdict.faults], "made short:")
            _say(told(short), *[f"  {fault}" for fault in faults])
            return 1
    took_s = time.monotonic() - began_s
    _say(
        f"{tally.storms} storms in {took_s:.0f} s, {tally.virtual_s / 3600:.1f} h of a rack;"
        f" {tally.asked} answers judged",
        f"strikes: {', '.join(f'{name} {n}' for name, n in tally.strikes.most_common())}",
        f"ends: {', '.join(f'{name} {n}' for name, n in tally.ends.most_common())}",
    )
    return 0


def _look_for_holes(seeds: range) -> int:
    missed = [hole for hole in ROW_HOLES if not _found(hole, seeds)]
    for hole in missed:
        _say(f"row {hole.row}: NOT FOUND within {len(seeds)} seeds: {hole.says}")
    return 1 if missed else 0


def _found(hole: Hole, seeds: range) -> bool:
    """Only storms that have what the hole needs are played; no other can fall into it."""
    began_s, played = time.process_time(), 0
    for seed in seeds:
        storm = draw(seed)
        if not hole.may_swallow(storm):
            continue
        played += 1
        if hole.swallows(storm):
            short = shrunk(storm, hole.swallows)
            with hole.opened():
                faults = [fault for fault in run_storm(short).faults if fault.rule in hole.shows_as]
            took_s = time.process_time() - began_s
            after = seeds.index(seed) + 1
            _say(f"row {hole.row}: found after {after} seeds, {played} played, {took_s:.0f} s")
            _say(
                f"  {hole.says}",
                f"  {faults[0]}",
                *[f"  {line}" for line in told(short).split("\n")],
            )
            return True
    return False


def _really(seeds: Iterable[int], *, seconds: float, count: int) -> int:
    status = 0
    for seed in seeds:
        faults = anyio.run(run_real, seed, seconds, count)
        _say(f"seed {seed}: {'held' if not faults else 'BROKEN'}", *[f"  {one}" for one in faults])
        status = status or int(bool(faults))
    return status


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
