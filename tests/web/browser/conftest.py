"""One Chromium for all visits: starting it takes longer than most of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from chromium import Visits, running_chromium, visited
from paper_shop import Shop
from screens import Screens, screen
from walls import Wall

from benchd.texts.catalogue import Catalogue
from tests.web.web_fakes import FakeRack


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def visit() -> AsyncGenerator[Visits]:
    async with running_chromium() as browser:
        yield partial(visited, browser)


@pytest.fixture
def wall(rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits) -> Wall:
    return Wall(rack, catalogue, tmp_path, visit)


@pytest.fixture
def screens(wall: Wall) -> Screens:
    return partial(screen, wall)


@pytest.fixture
def shop(catalogue: Catalogue, tmp_path: Path, visit: Visits) -> Shop:
    return Shop(tmp_path, catalogue, visit)
