from __future__ import annotations

import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest


@pytest.fixture
def short_path() -> Generator[Path]:
    """A folder in which the names of sockets fit into what Linux has for them."""
    with tempfile.TemporaryDirectory(prefix="bl-") as folder:
        yield Path(folder)
