from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from fastapi import FastAPI

from benchd.texts.catalogue import Catalogue
from tests.web.proxy_side import Behind, rack_behind
from tests.web.served import app_of
from tests.web.staffed import OpenShop, staffed
from tests.web.web_fakes import FakeRack
from tests.web.web_running import SEES_ALL, Browser, Server, browser, running


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture
def rack() -> FakeRack:
    return FakeRack()


@pytest.fixture
def app(rack: FakeRack, catalogue: Catalogue) -> FastAPI:
    return app_of(
        rack,
        catalogue,
        callers=SEES_ALL,
        allowed_hosts=["rack7.example"],
    )


@pytest.fixture
def visit(app: FastAPI) -> Browser:
    return partial(browser, app)


@pytest.fixture
def server(app: FastAPI, tmp_path: Path) -> Server:
    return partial(running, app, tmp_path / "benchd.sock")


@pytest.fixture
def shop(rack: FakeRack, catalogue: Catalogue, tmp_path: Path) -> OpenShop:
    return partial(staffed, rack, catalogue, tmp_path)


@pytest.fixture
def behind(rack: FakeRack, catalogue: Catalogue, tmp_path: Path) -> Behind:
    return partial(rack_behind, rack, catalogue, tmp_path)


@pytest.fixture
def japan(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The operator's time zone."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
