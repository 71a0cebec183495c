"""Which tests are closest to a line: those that run it, of its own room and quick ones first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import coverage

from benchd.lab.mutants.finding import ROOMS, Mutant
from benchd.lab.mutants.which_test import MEASURED

TESTS = (
    *(
        "tests/proof",
        "tests/pipelines",
        "tests/devices/felica",
        "tests/certificate",
        "tests/intake",
    ),
    *("tests/people", "tests/ledger", "tests/core"),
)
"""Where the rooms are tested. The virtual rack and whatever takes minutes is left out."""
_MARKS = "not slow and not nightly and not rack and not vm and not as_root"


@dataclass(frozen=True)
class Measured:
    """Which tests ran which line once, unchanged, and what the files were then."""

    by_line: dict[str, dict[int, list[str]]]
    seconds: dict[str, float]
    """Of those that passed; others say nothing of a mutant."""
    sources: dict[str, list[str]]

    def tests_of(self, mutant: Mutant, source: Sequence[str]) -> list[str]:
        """The closest first; `source` are the lines of its file as they are now.

        What is run when the file is read belongs to no test: all that use the file are asked.
        """
        lines = self.by_line.get(mutant.path, {})
        then = self._lines_then(mutant, source)
        tests = {test for line in then for test in lines.get(line, ())} & self.seconds.keys()
        if not tests and any(line in lines for line in then):
            every = {test for of_line in lines.values() for test in of_line}
            tests = every & self.seconds.keys()
        return self._ordered(tests, mutant.path.split("/")[1])

    def _ordered(self, tests: set[str], room: str) -> list[str]:
        """The quickest of each file, then the next of each; those of the room before others."""
        nth: dict[str, int] = {}
        files: Counter[str] = Counter()
        for test in sorted(tests, key=lambda test: (self.seconds[test], test)):
            file = test.partition("::")[0]
            nth[test] = files[file]
            files[file] += 1
        return sorted(
            tests, key=lambda test: (nth[test], not test.startswith(f"tests/{room}/"), test)
        )

    def _lines_then(self, mutant: Mutant, source: Sequence[str]) -> list[int]:
        """Its lines as they were numbered then; of one that is new, the one that was before it."""
        numbers = range(mutant.first_line, mutant.last_line + 1)
        old = self.sources.get(mutant.path, [])
        if old == source:
            return list(numbers)
        matcher = SequenceMatcher(None, old, source, autojunk=False)
        then: dict[int, int] = {}
        for block in matcher.get_matching_blocks():
            then |= {block.b + at + 1: block.a + at + 1 for at in range(block.size)}
        return [
            then[max((n for n in then if n <= number), default=min(then))] for number in numbers
        ]


def within(tests: Sequence[str], seconds: dict[str, float], most_s: float) -> list[str]:
    """The first of them that together take so long, one at least; new ones take no time."""
    chosen: list[str] = []
    for test in tests:
        most_s -= seconds.get(test, 0.0)
        if chosen and most_s < 0:
            break
        chosen.append(test)
    return chosen


def measured(folder: Path, *, anew: bool) -> Measured:
    """What was measured last, or what is measured now."""
    kept = folder / "closest.json"
    if anew or not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(_measure(folder)), encoding="utf-8")
    told = json.loads(kept.read_text(encoding="utf-8"))
    by_line = {
        path: {int(line): [told["tests"][at] for at in tests] for line, tests in lines.items()}
        for path, lines in told["by_line"].items()
    }
    return Measured(by_line=by_line, seconds=told["seconds"], sources=told["sources"])


def pytest_command(arguments: Iterable[str]) -> list[str]:
    """How tests are run: all of pytest under umockdev, as scripts/test does it."""
    return ["umockdev-wrapper", sys.executable, *arguments]


def _measure(folder: Path) -> dict[str, object]:
    data_file, results = folder / "coverage", folder / "measured.json"
    settings = folder / "coverage.ini"
    included = "".join(f"\n    {room}/*" for room in ROOMS)
    settings.write_text(
        f"[run]\ndata_file = {data_file}\ncore = ctrace\ninclude ={included}\n", encoding="utf-8"
    )
    command = pytest_command(
        ["-m", "coverage", "run", f"--rcfile={settings}", "-m", "pytest", *_quiet(TESTS)]
    )
    with (folder / "measured.log").open("w") as log:
        # Some may fail on a machine that does other things too; they're left out then.
        subprocess.run(
            command, env=os.environ | {MEASURED: str(results)}, stdout=log, stderr=log, check=False
        )
    return told_by(data_file, json.loads(results.read_text(encoding="utf-8")))


def _quiet(tests: Sequence[str]) -> list[str]:
    plug_in = ["-p", "benchd.lab.mutants.which_test"]
    return ["-q", "-p", "no:cacheprovider", *plug_in, "-m", _MARKS, *tests]


def told_by(data_file: Path, seconds: dict[str, float]) -> dict[str, object]:
    """What coverage has kept, as JSON: a test's name once, since thousands run a line."""
    data = coverage.CoverageData(str(data_file))
    data.read()
    tests = sorted(seconds)
    number = {test: at for at, test in enumerate(tests)}
    by_line = {
        os.path.relpath(path): {
            line: sorted(number[test] for test in told if test in number)
            for line, told in data.contexts_by_lineno(path).items()
        }
        for path in data.measured_files()
    }
    sources = {path: Path(path).read_text(encoding="utf-8").splitlines() for path in by_line}
    return {"tests": tests, "seconds": seconds, "by_line": by_line, "sources": sources}
