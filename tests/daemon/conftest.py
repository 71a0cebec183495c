"""A rack that can sell handsets, one that has sold three, and a folder for its backups."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_asyncio

from benchd.config import Settings
from tests.daemon.rotated_rack import FIRST, Rack, backup_of, make_rack, sell


@pytest.fixture
def rack(tmp_path: Path) -> Settings:
    (tmp_path / "dest").mkdir()
    return make_rack(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "dest"


@pytest_asyncio.fixture
async def sold(tmp_path: Path) -> Rack:
    sold = Rack(make_rack(tmp_path))
    await sold.live()
    return sold


@pytest_asyncio.fixture
async def backup(rack: Settings, folder: Path) -> Path:
    """Made of the rack when it had sold its first handset, and nothing else yet."""
    await sell(rack, FIRST)
    return backup_of(rack, folder)
