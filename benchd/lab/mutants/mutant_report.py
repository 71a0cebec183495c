"""What came of the mutants, as a table of survivors to read and as JSON."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchd.lab.mutants.finding import ROOMS, Mutant
from benchd.lab.mutants.trying import Fate, Trial

EQUIVALENT = Path("tests/equivalent_mutants.toml")


@dataclass(frozen=True)
class Equivalent:
    """A mutant that nobody could tell from the original, and why."""

    where: str
    was: str
    becomes: str
    because: str

    def is_it(self, mutant: Mutant) -> bool:
        """Whether it is this one, on whichever line it stands by now."""
        told = (mutant.path, mutant.was, mutant.becomes)
        return told == (self.where, self.was, self.becomes)


def equivalents(path: Path = EQUIVALENT) -> list[Equivalent]:
    """Those that somebody has looked at."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    return [Equivalent(**each) for each in told.get("mutant", [])]


def room_of(path: str) -> str:
    """Which of the rooms a file is in."""
    return next((room for room in ROOMS if path.startswith(f"{room}/")), "elsewhere")


def lines_of(trials: Sequence[Trial]) -> list[str]:
    """A line for each room, then each survivor with what was changed."""
    lines = ["room                      mutants  killed  survived  no test  killed of them"]
    for room in sorted({room_of(trial.mutant.path) for trial in trials}):
        fates = Counter(t.fate for t in trials if room_of(t.mutant.path) == room)
        killed, survived, unrun = (fates[f] for f in (Fate.KILLED, Fate.SURVIVED, Fate.NOT_RUN))
        told = killed + survived + unrun
        share = f"{killed / told:.1%}" if told else "-"
        lines.append(f"{room:<25} {told:>7}  {killed:>6}  {survived:>8}  {unrun:>7}  {share:>14}")
    for trial in left(trials):
        mutant = trial.mutant
        run = f"{trial.tests_run} of {trial.tests_known} tests" if trial.tests_known else "no test"
        lines += ["", f"{mutant.name} ({trial.fate}, {run})"]
        lines += [f"  - {mutant.was}", f"  + {mutant.becomes}"]
    return lines


def left(trials: Iterable[Trial]) -> list[Trial]:
    """Those that were not killed."""
    return [trial for trial in trials if trial.fate is not Fate.KILLED]


def as_json(trials: Sequence[Trial]) -> str:
    """All trials, for programs."""
    return json.dumps(
        [
            {
                "path": trial.mutant.path,
                "line": trial.mutant.first_line,
                "operator": trial.mutant.operator,
                "was": trial.mutant.was,
                "becomes": trial.mutant.becomes,
                "fate": trial.fate,
                "tests_run": trial.tests_run,
                "tests_known": trial.tests_known,
            }
            for trial in trials
        ],
        indent=1,
        ensure_ascii=False,
    )
