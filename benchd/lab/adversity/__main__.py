"""`scripts/adversity`: look for a schedule that breaks a rule, or put known holes back and look."""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchd.domain.evidence_json import to_json
from benchd.lab.adversity.holes import Hole
from benchd.lab.adversity.mutations import HOLES
from benchd.lab.adversity.pasting import as_test, leave
from benchd.lab.adversity.processes import quiet, search_in_processes
from benchd.lab.adversity.row_holes import ROW_HOLES
from benchd.lab.adversity.rows_open import look_for_rows
from benchd.lab.adversity.schedule import BayPlan, HandsetPlan, Schedule
from benchd.lab.adversity.search import Tally, faults_of, made_short, schedules_of, search
from benchd.lab.adversity.shrinking import shrunk

SEEDS = 500
SEEDS_FOR_A_HOLE = 2000


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when no rule was broken, or when every hole was found."""
    asked = _parser().parse_args(arguments)
    quiet()
    if asked.rows:
        return look_for_rows(itertools.count(asked.start), asked.leave_in, _say)
    if asked.mutations:
        return _look_for_holes(range(asked.start, asked.start + SEEDS_FOR_A_HOLE))
    within_s = asked.minutes * 60 if asked.minutes else None
    return _look(_seeds(asked), asked.processes, within_s=within_s, leave_in=asked.leave_in)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/adversity", description=__doc__)
    parser.add_argument("--seeds", type=int, default=None, help=f"how many (default {SEEDS})")
    parser.add_argument("--seed", type=int, default=None, help="this one alone")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    parser.add_argument("--minutes", type=float, default=None, help="stop after so long")
    parser.add_argument("--processes", type=int, default=1, help="side by side (default 1)")
    parser.add_argument("--leave-in", type=Path, help="folder for what is found, made short")
    parser.add_argument("--mutations", action="store_true", help="put known holes back and look")
    parser.add_argument("--rows", action="store_true", help="look for each row that is still open")
    return parser


def _seeds(asked: argparse.Namespace) -> Iterator[int]:
    if asked.seed is not None:
        return iter((asked.seed,))
    if asked.seeds is None and asked.minutes is not None:
        return itertools.count(asked.start)
    return iter(range(asked.start, asked.start + (asked.seeds or SEEDS)))


def _look(
    seeds: Iterator[int], processes: int, *, within_s: float | None, leave_in: Path | None
) -> int:
    tally = Tally()
    end_s = None if within_s is None else time.monotonic() + within_s
    late = lambda: end_s is not None and time.monotonic() > end_s  # noqa: E731 - one expression
    looked = (
        search(seeds, tally, stop=late)
        if processes == 1
        else search_in_processes(seeds, tally, processes, stop=late)
    )
    for seed, schedule, faults in looked:
        found = made_short(seed, schedule, faults)
        _say(f"seed {seed}:", *[f"  {fault}" for fault in found.faults], "", as_test(found))
        if leave_in is not None:
            _say(f"left in {leave(found, leave_in)}", "")
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
        f"where somebody errs: {counted(tally.with_mishaps)}",
        f"honest handsets that were to be destroyed: {tally.doomed}",
        f"blows: {counted(tally.blows)}",
        f"lies: {counted(tally.lies)}",
        f"ends: {counted(tally.reasons)}",
    ]


def _look_for_holes(seeds: range) -> int:
    missed = [hole for hole in (*HOLES, *ROW_HOLES) if not _found(hole, seeds)]
    for hole in missed:
        _say(f"{hole.name}: NOT FOUND within {len(seeds)} seeds: {hole.says}")
    return 1 if missed else 0


def _found(hole: Hole, seeds: range) -> bool:
    """Only schedules that have what the hole needs are run; the others can't fall into it."""
    began_s = time.process_time()
    for seed in seeds:
        fallen = next(filter(hole.swallows, schedules_of(seed)), None)
        if fallen is not None:
            short = shrunk(fallen, hole.swallows)
            took_s = time.process_time() - began_s
            _say(*_lines_of_hole(hole, short, seeds.index(seed) + 1, took_s))
            return True
    return False


def _lines_of_hole(hole: Hole, short: Schedule, seeds: int, took_s: float) -> list[str]:
    with hole.opened():
        faults = faults_of(short)
    missing = hole.missing()
    open_here = f" (open here: there is no {', '.join(missing)})" if missing else ""
    return [
        f"{hole.name}: found after {seeds} seeds, {took_s:.1f} s: {hole.says}{open_here}",
        *[f"  {fault}" for fault in faults],
        *[f"  {b.kind} at {b.point}, no. {b.nth}, in {b.slot}" for b in short.blows],
        *[f"  {bay.slot}: {_differing(bay)}" for bay in short.bays],
        *[f"  {visit}" for visit in short.visits],
    ]


def _differing(bay: BayPlan) -> str:
    """What isn't as it is in the plainest slot."""
    plain = BayPlan(slot=bay.slot, handset=HandsetPlan())
    said = [
        f"{name} {value}"
        for whose in ("handset", "visitor")
        for name, value in to_json(getattr(bay, whose)).items()
        if value != to_json(HandsetPlan())[name]
    ]
    said += [
        f"{name} {value}"
        for name, value in to_json(bay).items()
        if name not in ("handset", "visitor") and value != to_json(plain)[name]
    ]
    return ", ".join(said) or "as plain as can be"


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
