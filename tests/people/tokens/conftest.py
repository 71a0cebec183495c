from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from benchd.texts.catalogue import Catalogue
from tests.people.tokens.token_rig import House, OpenHouse, house_in
from tests.web.web_fakes import FakeRack


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture
def rack() -> FakeRack:
    return FakeRack()


@pytest.fixture
def open_house(rack: FakeRack, catalogue: Catalogue, tmp_path: Path) -> OpenHouse:
    return partial(house_in, tmp_path, rack, catalogue)


@pytest_asyncio.fixture
async def house(open_house: OpenHouse) -> AsyncGenerator[House]:
    """One in which nobody asks too often."""
    async with open_house() as house:
        yield house
