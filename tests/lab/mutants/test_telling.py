"""The table of survivors, and the mutants that somebody has shown to be equivalent."""

from __future__ import annotations

import json
from pathlib import Path

from benchd.lab.mutants.finding import ROOMS, Mutant, mutants_of
from benchd.lab.mutants.mutant_report import EQUIVALENT, as_json, equivalents, lines_of
from benchd.lab.mutants.trying import Fate, Trial

ROOT = Path(__file__).parents[3]
SURVIVOR = Mutant("benchd/proof/clock_proof.py", 30, 30, "swap_op", "x >= 1", "x > 1", "")


def trials() -> list[Trial]:
    other = Mutant("benchd/people/login_throttle.py", 3, 3, "number", "x = 1", "x = 2", "")
    return [
        Trial(SURVIVOR, Fate.SURVIVED, 3, 8),
        Trial(SURVIVOR, Fate.KILLED, 8, 8),
        Trial(other, Fate.NOT_RUN, 0, 0),
    ]


def test_each_room_has_a_line_and_each_survivor_says_what_was_changed() -> None:
    told = "\n".join(lines_of(trials()))
    assert "benchd/proof                    2       1         1        0           50.0%" in told
    assert (
        "benchd/proof/clock_proof.py:30 swap_op (survived, 3 of 8 tests)\n  - x >= 1\n  + x > 1"
        in told
    )
    assert "benchd/people/login_throttle.py:3 number (not_run, no test)" in told


def test_programs_read_the_same() -> None:
    told = json.loads(as_json(trials()))
    assert [each["fate"] for each in told] == ["survived", "killed", "not_run"]
    assert (told[0]["was"], told[0]["becomes"], told[0]["line"]) == ("x >= 1", "x > 1", 30)


def test_each_equivalent_mutant_is_still_one_of_its_files_and_has_a_reason() -> None:
    """Once its line is another, somebody has to look at it again."""
    for known in equivalents(ROOT / EQUIVALENT):
        assert known.because
        assert known.where.startswith(ROOMS)
        path = ROOT / known.where
        lines = {
            number
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if line.strip() and line.strip() in known.was
        }
        found = {(each.was, each.becomes) for each in mutants_of(path, lines)}
        assert (known.was, known.becomes) in found, known
