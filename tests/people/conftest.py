from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio

from tests.people.people_rig import Door, door_in


@pytest_asyncio.fixture
async def door(tmp_path: Path) -> AsyncGenerator[Door]:
    async with door_in(tmp_path) as door:
        yield door
