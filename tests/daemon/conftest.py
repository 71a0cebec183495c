"""A rack that can sell handsets, and a folder for its backups."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.config import Settings
from tests.daemon.rotated_rack import make_rack


@pytest.fixture
def rack(tmp_path: Path) -> Settings:
    (tmp_path / "dest").mkdir()
    return make_rack(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "dest"
