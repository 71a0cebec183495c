from __future__ import annotations

import pytest

from benchd.texts.catalogue import Catalogue
from benchd.web.app import create_app
from tests.web.web_fakes import FakeRack
from tests.web.web_running import browser

pytestmark = pytest.mark.asyncio

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


async def fake_source(accept: str) -> tuple[bytes, str]:
    return f"# asked for {accept}\n".encode(), "text/plain; version=0.0.4; charset=utf-8"


async def test_metrics_at_the_very_path_without_a_redirect(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    async with browser(create_app(rack, catalogue, metrics=fake_source)) as client:
        answer = await client.get("/metrics", headers={"accept": OPEN_METRICS})
    assert answer.status_code == 200
    assert answer.text == f"# asked for {OPEN_METRICS}\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_no_route_without_a_source(rack: FakeRack, catalogue: Catalogue) -> None:
    async with browser(create_app(rack, catalogue)) as client:
        assert (await client.get("/metrics")).status_code == 404
