"""A mutant is put into a copy of the checkout, and its closest tests run there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest

from benchd.lab.mutants.closest import Measured, pytest_command, within
from benchd.lab.mutants.finding import Mutant

GRACE_S = 240.0
"""Beside what the tests took: the machine may do other things, and a loop is found all the same."""


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    NOT_RUN = "not_run"
    """No test runs its line."""
    BROKEN = "broken"
    """Its tests couldn't be begun: says nothing."""


@dataclass(frozen=True)
class Trial:
    """A mutant, its tests and its fate."""

    mutant: Mutant
    fate: Fate
    tests_run: int
    tests_known: int


def tried(
    mutants: Sequence[Mutant],
    measured: Measured,
    *,
    also: Sequence[str],
    within_s: float,
    jobs: int,
    stop_at_s: float | None,
) -> Iterator[Trial]:
    """Each of them in turn, as long as there is time; the checkout itself isn't touched.

    `also` are tests that are run first whatever was measured: those that are new.
    """
    waiting = iter(mutants)
    running: set[Future[Trial]] = set()
    with (
        tempfile.TemporaryDirectory(prefix="benchd-mutants-") as folder,
        ProcessPoolExecutor(jobs, initializer=_copy_here, initargs=(folder,)) as pool,
    ):
        while True:
            while len(running) < jobs and not _is_late(stop_at_s):
                mutant = next(waiting, None)
                if mutant is None:
                    break
                source = Path(mutant.path).read_text(encoding="utf-8").splitlines()
                known = [*also, *measured.tests_of(mutant, source)]
                chosen = within(known, measured.seconds, within_s)
                running.add(pool.submit(_try, mutant, chosen, len(known), within_s))
            if not running:
                return
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for each in ended:
                yield each.result()


def _is_late(stop_at_s: float | None) -> bool:
    return stop_at_s is not None and time.monotonic() > stop_at_s


def _copy_here(folder: str) -> None:
    """Every process has a copy of its own, changes that aren't committed yet too."""
    copy = Path(tempfile.mkdtemp(dir=folder))
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        source, target = Path(name), copy / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    built = Path("benchd/devices/android/filler/bin")
    if built.is_dir():
        shutil.copytree(built, copy / built, dirs_exist_ok=True)
    os.chdir(copy)


def _try(mutant: Mutant, tests: Sequence[str], known: int, within_s: float) -> Trial:
    if not tests:
        return Trial(mutant, Fate.NOT_RUN, 0, known)
    path = Path(mutant.path)
    source = path.read_text(encoding="utf-8")
    listed = Path("tests-of-this-mutant")
    listed.write_text("\n".join(tests), encoding="utf-8")
    flags = ["-x", "-q", "-p", "no:cacheprovider", "--tb=no"]
    command = pytest_command(["-m", "pytest", *flags, f"@{listed}"])
    path.write_text(mutant.code, encoding="utf-8")
    try:
        fate = _fate(command, GRACE_S + 10 * within_s)
    finally:
        path.write_text(source, encoding="utf-8")
    return Trial(mutant, fate, len(tests), known)


def _fate(command: Sequence[str], within_s: float) -> Fate:
    # Two mutants of a file within a second would be one to Python's cache of compiled files.
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    tests = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        ended_as = tests.wait(within_s)
    except subprocess.TimeoutExpired:
        return Fate.KILLED
    finally:
        # Whatever a test has started and a mutant kept it from ending goes too.
        with suppress(ProcessLookupError):
            os.killpg(tests.pid, signal.SIGKILL)
        tests.wait()
    match ended_as:
        case pytest.ExitCode.OK:
            return Fate.SURVIVED
        case pytest.ExitCode.USAGE_ERROR | pytest.ExitCode.NO_TESTS_COLLECTED:
            return Fate.BROKEN
        case _:
            return Fate.KILLED
