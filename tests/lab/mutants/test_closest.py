"""Which tests are run for a mutant, by what was measured of other lines."""

from __future__ import annotations

from benchd.lab.mutants.closest import Measured, within
from benchd.lab.mutants.finding import Mutant

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


def test_those_of_its_own_room_come_first() -> None:
    assert closest_to(4) == ["tests/proof/test_b.py::slow", "tests/core/test_a.py::quick"]


def test_one_that_failed_by_itself_says_nothing() -> None:
    assert closest_to(5) == ["tests/proof/test_b.py::quick"]


def test_for_what_is_run_as_the_file_is_read_all_that_use_it_are_asked() -> None:
    """Each file has a say before one has two, and of a file the quickest."""
    assert closest_to(1) == [
        "tests/proof/test_b.py::quick",
        "tests/core/test_a.py::quick",
        "tests/proof/test_b.py::slow",
    ]


def test_a_line_that_nothing_runs_has_no_tests() -> None:
    assert closest_to(2) == []


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
