from __future__ import annotations

import logging
from collections.abc import Generator
from pathlib import Path

import pytest
import structlog

from benchd.lab.adversity import schedule_run


@pytest.fixture(autouse=True)
def _quiet() -> Generator[None]:
    """What the core says of thousands of blows would fill the memory of pytest's capture."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.fixture(autouse=True)
def _ledgers_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """To umockdev all that is opened under /dev is a device, /dev/shm too: it keeps a socket."""
    monkeypatch.setattr(schedule_run, "MEMORY", tmp_path)
