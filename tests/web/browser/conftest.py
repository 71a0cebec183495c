"""One Chromium for all visits: starting it takes longer than most of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from chromium import Visits, running_chromium, visited
from paper_shop import Shop


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def visit() -> AsyncGenerator[Visits]:
    async with running_chromium() as browser:
        yield partial(visited, browser)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)
