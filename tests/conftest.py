"""What holds for every test."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings


def pytest_configure() -> None:
    """Say that the main thread has no event loop, so that none is made by asking for it.

    looptime 0.9 asks before each test, sync ones too; Python then warns and makes a loop
    that nobody closes.
    """
    asyncio.set_event_loop(None)
    # Nobody keeps it up any more: what would load it fails (see tests/test_not_imported.py).
    sys.modules["oscrypto"] = None  # type: ignore[assignment]
    # Drawing tracebacks in frames took a fifth of the time of tests with faults.
    structlog.configure(
        processors=[
            *structlog.get_config()["processors"][:-1],
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ]
    )
    # How fast a machine is that others share says nothing about what is tested.
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let virtual time go on after two idle turns of the loop: by default it polls 42 times.

    Nothing in these tests needs more, and the polls took a third of their time.
    """
    for item in items:
        if item.get_closest_marker("looptime"):
            item.add_marker(pytest.mark.looptime(noop_cycles=2))


@pytest.fixture
def on_disk() -> Iterator[Path]:
    """A folder where it takes its time until something is written: /tmp is often only memory.

    For who is killed in mid-write, and for who writes as long as something else lasts.
    """
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="benchd-test-") as folder:
        yield Path(folder)
