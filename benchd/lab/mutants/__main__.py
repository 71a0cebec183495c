"""`scripts/mutants`: change the decisive rooms line by line, and tell what no test notices."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchd.lab.mutants.closest import measured
from benchd.lab.mutants.finding import ROOMS, Mutant, changed_lines, files_of, mutants_of
from benchd.lab.mutants.mutant_report import as_json, equivalents, left, lines_of
from benchd.lab.mutants.trying import Fate, Trial, tried

FOLDER = Path("build/mutants")
WITHIN_S = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 if more mutants are left than may be; by default none may."""
    asked = _parser().parse_args(arguments)
    # The copies of the checkout are taken away also when it is stopped.
    signal.signal(signal.SIGTERM, _stop)
    mutants = _asked_for(asked)
    if asked.list:
        _say(*[f"{each.name}\n  - {each.was}\n  + {each.becomes}" for each in mutants])
        return 0
    _say(f"{len(mutants)} mutants")
    if not mutants:
        return 0
    stop_at_s = None if asked.minutes is None else time.monotonic() + asked.minutes * 60
    trials: list[Trial] = []
    for trial in tried(
        mutants,
        measured(FOLDER, anew=asked.measure),
        also=_new_tests(asked.changed),
        within_s=asked.within,
        jobs=asked.jobs,
        stop_at_s=stop_at_s,
    ):
        trials.append(trial)
        if trial.fate is not Fate.KILLED:
            _say(f"{trial.fate}: {trial.mutant.name}")
        # Whoever is stopped in between keeps what is known.
        (FOLDER / "trials.json").write_text(as_json(trials), encoding="utf-8")
    table = lines_of(trials)
    (FOLDER / "survivors.txt").write_text("\n".join(table) + "\n", encoding="utf-8")
    _say("", *table)
    if len(trials) < len(mutants):
        _say("", f"no time was left for {len(mutants) - len(trials)} more")
    killed = 1 - len(left(trials)) / len(trials) if trials else 1.0
    return 0 if killed >= asked.least else 1


def _stop(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders (default all rooms)")
    parser.add_argument("--changed", metavar="BASE", help="only lines that differ from this commit")
    parser.add_argument("--share", metavar="K/N", type=_share, help="the K-th of N parts, from 0")
    parser.add_argument("--sample", type=int, help="so many, drawn by --seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="begin no further one after so long")
    parser.add_argument(
        "--within", type=float, default=WITHIN_S, help="seconds of tests for each (default 60)"
    )
    parser.add_argument(
        "--least", type=float, default=1.0, help="share that has to be killed (default 1)"
    )
    parser.add_argument("--jobs", type=int, default=1, help="how many at once")
    parser.add_argument("--measure", action="store_true", help="which tests run what, anew")
    parser.add_argument("--list", action="store_true", help="only say which there are")
    return parser


def _share(told: str) -> tuple[int, int]:
    part, parts = (int(each) for each in told.split("/"))
    if not 0 <= part < parts:
        raise argparse.ArgumentTypeError(f"{told} is none: 0/{parts} to {parts - 1}/{parts}")
    return part, parts


def _asked_for(asked: argparse.Namespace) -> list[Mutant]:
    """In the order of their draw, so that a run that is cut short is a sample of all."""
    files = files_of(asked.paths or [Path(room) for room in ROOMS])
    changed = None if asked.changed is None else changed_lines(asked.changed, *ROOMS)
    if changed is not None:
        files = [path for path in files if str(path) in changed]
    known = equivalents()
    mutants = [
        mutant
        for path in files
        for mutant in mutants_of(path, None if changed is None else changed[str(path)])
        if not any(each.is_it(mutant) for each in known)
    ]
    if asked.share is not None:
        part, parts = asked.share
        mutants = [each for each in mutants if each.draw % parts == part]
    mutants.sort(key=lambda each: each.draw)
    if asked.sample is not None and asked.sample < len(mutants):
        mutants = random.Random(asked.seed).sample(mutants, asked.sample)  # noqa: S311
    return mutants


def _new_tests(base: str | None) -> list[str]:
    """The files of tests that came with the change: nobody has measured what they run."""
    files: list[str] = [] if base is None else list(changed_lines(base, "tests"))
    return sorted(path for path in files if Path(path).match("tests/**/test_*.py"))


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
