"""Pytest plug-in: tells coverage which test runs, and keeps how long each took that passed.

Coverage's own `dynamic_context` follows the frame of a test function, which a coroutine leaves
at its first wait; what tasks do after it would belong to no test.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path

import coverage
import pytest

MEASURED = "BENCHD_MUTANTS_MEASURED"
"""The environment variable that names the file for the durations."""

_seconds: dict[str, float] = {}
_other_than_passed: set[str] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Whatever runs from now on runs for this test, its fixtures too."""
    measured = coverage.Coverage.current()
    if measured is not None:
        measured.switch_context(item.nodeid)
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Fixtures count: who runs the test alone waits for them too."""
    _seconds[report.nodeid] = _seconds.get(report.nodeid, 0.0) + report.duration
    if report.outcome != "passed":
        _other_than_passed.add(report.nodeid)


def pytest_sessionfinish() -> None:
    """Write what was measured."""
    passed = {test: _seconds[test] for test in _seconds if test not in _other_than_passed}
    Path(os.environ[MEASURED]).write_text(json.dumps(passed), encoding="utf-8")
