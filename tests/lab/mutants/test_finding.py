"""Which mutants a file has, and which part of them is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.lab.mutants.finding import Mutant, lines_in, mutants_of


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


def test_in_a_function_a_statement_may_be_missing(tmp_path: Path) -> None:
    source = "def restore(scope):\n    scope.deadline = was\n    close()\n    raise Late\n"
    left_out = {was for was, becomes in changes(tmp_path, source) if becomes == "pass"}
    assert left_out == {"scope.deadline = was", "close()", "raise Late"}


def test_decorated_functions_and_constants_have_mutants(tmp_path: Path) -> None:
    """What mutmut's own runner leaves out, and where deadlines are restored and floors stand."""
    source = "LIMIT = 3\n\n\n@contextmanager\ndef still():\n    yield 1\n    x = 1\n"
    assert {was for was, _ in changes(tmp_path, source)} >= {"LIMIT = 3", "x = 1"}


def test_what_nothing_evaluates_and_what_only_a_log_hears_has_none(tmp_path: Path) -> None:
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


def test_only_of_the_lines_that_were_named(tmp_path: Path) -> None:
    assert {was for was, _ in changes(tmp_path, "x = 1\ny = 2\nz = 3\n", {2})} == {"y = 2"}


def test_the_lines_that_a_diff_puts_in() -> None:
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
