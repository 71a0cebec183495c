"""Which mutants a file has, which tests are run for one, and what is told of the survivors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchd.lab.mutants.closest import Measured, within
from benchd.lab.mutants.finding import ROOMS, Mutant, lines_in, mutants_of
from benchd.lab.mutants.mutant_report import EQUIVALENT, as_json, equivalents, lines_of
from benchd.lab.mutants.trying import Fate, Trial

ROOT = Path(__file__).parents[2]


def changes(folder: Path, source: str, lines: set[int] | None = None) -> set[tuple[str, str]]:
    path = folder / "module.py"
    path.write_text(source, encoding="utf-8")
    return {(each.was, each.becomes) for each in mutants_of(path, lines)}


BECOMES = {
    "x = seen[-1]": "x = seen[0]",
    "x = seen[0]": "x = seen[-1]",
    "x = max(a)": "x = min(a)",
    "x = all(a)": "x = any(a)",
    "x = a and b": "x = a",
    "x = a or b": "x = b",
    "x = a >= b": "x = a > b",
    "x = a < b": "x = a >= b",
    "x = a in b": "x = a not in b",
    "x = f(a, b)": "x = f(b, a)",
    "x = [e for e in a if e]": "x = [e for e in a]",
    "x = 3 * a": "x = 2 * a",
    "x = 0.5": "x = 0.25",
    "x = 1": "x = 2",
    "x = not a": "x = a",
    "x = b if a else c": "x = b if (a) and False else c",
}


@pytest.mark.parametrize("was", BECOMES)
def test_a_line_has_this_mutant(tmp_path: Path, was: str) -> None:
    assert (was, BECOMES[was]) in changes(tmp_path, f"{was}\n")


def test_what_mutmuts_own_runner_leaves_out_has_mutants_and_what_nobody_hears_has_none(
    tmp_path: Path,
) -> None:
    """Where deadlines are restored and floors stand, a statement may be missing too."""
    source = "def restore(scope):\n    scope.deadline = was\n    close()\n    raise Late\n"
    left_out = {was for was, becomes in changes(tmp_path, source) if becomes == "pass"}
    assert left_out == {"scope.deadline = was", "close()", "raise Late"}
    source = "LIMIT = 3\n\n\n@contextmanager\ndef still():\n    yield 1\n    x = 1\n"
    assert {was for was, _ in changes(tmp_path, source)} >= {"LIMIT = 3", "x = 1"}
    source = 'import a\n\nx: dict[str, 3] | None\n\n\n@limit(3)\ndef f():\n    """Says."""\n'
    assert changes(tmp_path, source) == set()
    assert changes(tmp_path, "def f():\n    _log.info('said', after=3)\n") == set()


def test_each_mutant_can_be_read_by_python_and_is_there_once(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def f(a, b):\n    return a[-1] if not a == b else b[0]\n", encoding="utf-8")
    found = mutants_of(path)
    assert len({each.code for each in found}) == len(found) > 5
    for each in found:
        compile(each.code, "mutant", "exec")
        assert each.code != path.read_text(encoding="utf-8")


def test_only_the_lines_that_a_diff_puts_in_have_mutants(tmp_path: Path) -> None:
    assert {was for was, _ in changes(tmp_path, "x = 1\ny = 2\nz = 3\n", {2})} == {"y = 2"}
    told = (
        "--- a/one.py\n+++ b/one.py\n@@ -3 +3,2 @@ def f\n-x\n+y\n+z\n@@ -9,2 +10 @@\n-x\n-y\n+z\n"
        "--- a/two.py\n+++ b/two.py\n@@ -4,2 +3,0 @@\n-x\n-y\n"
    )
    assert lines_in(told) == {"one.py": {3, 4, 10}}


def test_a_mutant_stays_in_its_share_wherever_it_stands() -> None:
    def at(line: int, was: str) -> Mutant:
        return Mutant("m.py", line, line, "number", was, "x = 2", "")

    assert at(1, "x = 1").draw == at(50, "x = 1").draw
    parts = {at(1, f"{n} = 1").draw % 14 for n in range(500)}
    assert parts == set(range(14))


PATH = "benchd/proof/clock_proof.py"
THEN = ["STEP = 1", "", "def f():", "    return STEP", "    return 2"]
IMPORTED = ""
MEASURED = Measured(
    by_line={
        PATH: {
            1: [IMPORTED],
            4: ["tests/core/test_a.py::quick", "tests/proof/test_b.py::slow"],
            5: ["tests/proof/test_b.py::quick", "tests/proof/test_b.py::failed"],
        }
    },
    seconds={
        "tests/core/test_a.py::quick": 0.1,
        "tests/proof/test_b.py::slow": 9.0,
        "tests/proof/test_b.py::quick": 0.2,
    },
    sources={PATH: THEN},
)


def closest_to(line: int, source: list[str] = THEN) -> list[str]:
    return MEASURED.tests_of(Mutant(PATH, line, line, "", "", "", ""), source)


@pytest.mark.parametrize(
    ("line", "tests"),
    [
        pytest.param(
            4,
            ["tests/proof/test_b.py::slow", "tests/core/test_a.py::quick"],
            id="those of its own room come first",
        ),
        pytest.param(
            5, ["tests/proof/test_b.py::quick"], id="one that failed by itself says nothing"
        ),
        # Each file has a say before one has two, and of a file the quickest.
        pytest.param(
            1,
            [
                "tests/proof/test_b.py::quick",
                "tests/core/test_a.py::quick",
                "tests/proof/test_b.py::slow",
            ],
            id="of what is run as the file is read all that use it are asked",
        ),
        pytest.param(2, [], id="a line that nothing runs has none"),
    ],
)
def test_which_tests_are_run_for_a_mutant(line: int, tests: list[str]) -> None:
    assert closest_to(line) == tests


def test_lines_that_have_moved_keep_their_tests_and_new_ones_take_those_before_them() -> None:
    now = ["STEP = 1", "OTHER = 2", "", "def f():", "    x = 3", "    return STEP", "    return 2"]
    assert closest_to(6, now) == closest_to(4)
    assert closest_to(7, now) == closest_to(5)
    assert closest_to(2, now) == closest_to(1)


def test_as_many_as_there_is_time_for_and_one_at_least() -> None:
    seconds = {"a": 5.0, "b": 4.0, "c": 4.0}
    assert within(["a", "b", "c"], seconds, 10) == ["a", "b"]
    assert within(["a", "b"], seconds, 1) == ["a"]
    assert within(["new", "a"], seconds, 5) == ["new", "a"]


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
    survived = "benchd/proof/clock_proof.py:30 swap_op (survived, 3 of 8 tests)"
    assert f"{survived}\n  - x >= 1\n  + x > 1" in told
    assert "benchd/people/login_throttle.py:3 number (not_run, no test)" in told
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
