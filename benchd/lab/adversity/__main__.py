"""`scripts/adversity`: look for a schedule that breaks a rule, or put known holes back and look."""

from __future__ import annotations

import argparse
import gc
import itertools
import logging
import sys
import time
from collections.abc import Iterator, Sequence

import structlog

from benchd.lab.adversity.mutations import HOLES, Hole
from benchd.lab.adversity.pasting import as_test
from benchd.lab.adversity.search import Tally, made_short, search

SEEDS = 500
SEEDS_FOR_A_HOLE = 2000


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when no rule was broken, or when every hole was found."""
    asked = _parser().parse_args(arguments)
    # What the core has to say about each blow isn't wanted, and costs a third of the time.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    gc.freeze()
    if asked.mutations:
        return _look_for_holes(range(asked.start, asked.start + SEEDS_FOR_A_HOLE))
    return _look(_seeds(asked), within_s=asked.minutes * 60 if asked.minutes else None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/adversity", description=__doc__)
    parser.add_argument("--seeds", type=int, default=None, help=f"how many (default {SEEDS})")
    parser.add_argument("--seed", type=int, default=None, help="this one alone")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    parser.add_argument("--minutes", type=float, default=None, help="stop after so long")
    parser.add_argument("--mutations", action="store_true", help="put known holes back and look")
    return parser


def _seeds(asked: argparse.Namespace) -> Iterator[int]:
    if asked.seed is not None:
        return iter((asked.seed,))
    if asked.seeds is None and asked.minutes is not None:
        return itertools.count(asked.start)
    return iter(range(asked.start, asked.start + (asked.seeds or SEEDS)))


def _look(seeds: Iterator[int], *, within_s: float | None) -> int:
    tally = Tally()
    end_s = None if within_s is None else time.monotonic() + within_s
    late = lambda: end_s is not None and time.monotonic() > end_s  # noqa: E731 - one expression
    for seed, schedule, faults in search(seeds, tally, stop=late):
        found = made_short(seed, schedule, faults)
        _say(f"seed {seed}:", *[f"  {fault}" for fault in found.faults], "", as_test(found))
        _say(*_lines(tally))
        return 1
    _say(*_lines(tally))
    return 0


def _lines(tally: Tally) -> list[str]:
    def counted(counts: dict[str, int]) -> str:
        ordered = sorted(counts.items(), key=lambda each: -each[1])
        return ", ".join(f"{name} {count}" for name, count in ordered)

    share = tally.sellable / tally.handsets if tally.handsets else 0.0
    return [
        f"{tally.schedules} schedules, {tally.rate:.1f} a second of processor time",
        f"{tally.handsets} handsets, {tally.honest} of them honest, {share:.0%} ended sellable",
        f"blows: {counted(tally.blows)}",
        f"lies: {counted(tally.lies)}",
        f"ends: {counted(tally.reasons)}",
    ]


def _look_for_holes(seeds: range) -> int:
    missed = [hole for hole in HOLES if not _found(hole, seeds)]
    for hole in missed:
        _say(f"row {hole.row}: NOT FOUND within {len(seeds)} seeds: {hole.says}")
    return 1 if missed else 0


def _found(hole: Hole, seeds: range) -> bool:
    began_s = time.process_time()
    tally = Tally()
    open_here = f" (open here: no {', '.join(hole.missing())})" if hole.missing() else ""
    with hole.opened():
        for seed, schedule, faults in search(iter(seeds), tally):
            if not hole.is_fallen_into(schedule, faults):
                continue
            found = made_short(seed, schedule, faults)
            if hole.is_fallen_into(found.schedule, found.faults):
                took_s = time.process_time() - began_s
                _say(
                    f"row {hole.row}: found by seed {seed}, after {tally.schedules} schedules and"
                    f" {took_s:.1f} s: {hole.says}{open_here}",
                    *[f"  {fault}" for fault in found.faults],
                    *[
                        f"  {blow.kind} at {blow.point} ({blow.nth}) in {blow.slot}"
                        for blow in found.schedule.blows
                    ],
                )
                return True
    return False


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
