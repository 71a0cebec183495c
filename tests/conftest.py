"""What holds for every test."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings


def pytest_configure() -> None:
    """Say that the main thread has no event loop, so that none is made by asking for it.

    looptime 0.9 asks before each test, sync ones too; Python then warns and makes a loop
    that nobody closes.
    """
    asyncio.set_event_loop(None)
    # Nobody keeps it up any more: what would load it fails (see tests/test_not_imported.py).
    sys.modules["oscrypto"] = None  # type: ignore[assignment]
    # How fast a machine is that others share says nothing about what is tested.
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")


@pytest.fixture
def on_disk() -> Iterator[Path]:
    """A folder where it takes its time until something is written: /tmp is often only memory.

    For who is killed in mid-write, and for who writes as long as something else lasts.
    """
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="benchd-test-") as folder:
        yield Path(folder)
