from __future__ import annotations

import pytest

from benchd.texts.catalogue import Catalogue
from tests.web.web_fakes import FakeRack


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture
def rack() -> FakeRack:
    return FakeRack()
