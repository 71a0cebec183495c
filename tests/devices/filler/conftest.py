"""The programs for this machine, and a folder on a real disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchd.devices.android.filler import Program
from benchd.devices.android.filler.build import build, host_abi


@pytest.fixture(scope="session")
def program() -> Path:
    return build(host_abi())


@pytest.fixture(scope="session")
def cache_program() -> Path:
    return build(host_abi(), Program.CACHE)


@pytest.fixture
def folder() -> Iterator[str]:
    """Give a path below /var/tmp: /tmp is often only memory, which proves no read-back."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="benchd-test-") as base:
        yield f"{base}/work"
