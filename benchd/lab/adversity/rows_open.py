"""Looks for the rows that the core still breaks: after how many seeds does each show?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchd.lab.adversity.mishaps import mishap_of
from benchd.lab.adversity.pasting import leave
from benchd.lab.adversity.rows import OPEN, SHOWN_BY
from benchd.lab.adversity.schedule import Schedule
from benchd.lab.adversity.search import Found, faults_of
from benchd.lab.adversity.shrinking import shrunk

MOST_SEEDS = 2000


def shows(rule: str, schedule: Schedule) -> bool:
    """Whether this schedule breaks this rule."""
    return any(fault.rule == rule for fault in faults_of(schedule))


def look_for_rows(seeds: Iterator[int], leave_in: Path | None, say: Callable[..., None]) -> int:
    """Exit code 0 once each open row was found by each of its rules; all are made short."""
    wanted = {(row, rule) for row in OPEN for rule in SHOWN_BY[row]}
    began_s = time.process_time()
    for played, seed in enumerate(seeds, start=1):
        if not wanted or played > MOST_SEEDS:
            break
        schedule = mishap_of(seed, open_too=True)
        row = next(iter(schedule.rows), 0) if schedule else 0
        due = [rule for of, rule in wanted if of == row]
        if schedule is None or not due:
            continue
        broken = [fault.rule for fault in faults_of(schedule)]
        took_s = time.process_time() - began_s
        for rule in sorted(set(due) & set(broken)):
            wanted.discard((row, rule))
            say(*_lines((row, rule), seed, played, took_s, schedule, leave_in))
    say(*[f"row {row}: NOT FOUND in {MOST_SEEDS} seeds: {rule}" for row, rule in sorted(wanted)])
    return 1 if wanted else 0


def _lines(
    shown: tuple[int, str],
    seed: int,
    played: int,
    took_s: float,
    schedule: Schedule,
    leave_in: Path | None,
) -> list[str]:
    row, rule = shown
    short = shrunk(schedule, lambda each: shows(rule, each))
    found = Found(seed=seed, schedule=short, faults=faults_of(short))
    left = [] if leave_in is None else [f"  left in {leave(found, leave_in / f'row-{row} {rule}')}"]
    told = [f"row {row}: found after {played} seeds, {took_s:.1f} s: {rule}"]
    return [*told, *[f"  {fault}" for fault in found.faults], *left]
