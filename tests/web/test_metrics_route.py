from __future__ import annotations

import anyio
import pytest

from benchd.texts.catalogue import Catalogue
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack
from tests.web.web_running import browser

pytestmark = pytest.mark.asyncio

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


async def fake_source(accept: str) -> tuple[bytes, str]:
    return f"# asked for {accept}\n".encode(), "text/plain; version=0.0.4; charset=utf-8"


async def test_metrics_at_the_very_path_without_a_redirect(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    async with browser(app_of(rack, catalogue, scrape=fake_source)) as client:
        answer = await client.get("/metrics", headers={"accept": OPEN_METRICS})
    assert answer.status_code == 200
    assert answer.text == f"# asked for {OPEN_METRICS}\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_no_route_without_a_source(rack: FakeRack, catalogue: Catalogue) -> None:
    async with browser(app_of(rack, catalogue)) as client:
        assert (await client.get("/metrics")).status_code == 404


async def test_row_1_metrics_are_made_once_for_all_who_wait_and_never_before_they_asked(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    made: list[str] = []
    may = anyio.Event()

    async def slow(accept: str) -> tuple[bytes, str]:
        made.append(accept)
        number = len(made)
        await may.wait()
        return f"made {number}".encode(), "text/plain"

    told: list[str] = []
    async with browser(app_of(rack, catalogue, scrape=slow)) as client:

        async def scrape(accept: str = "") -> None:
            told.append((await client.get("/metrics", headers={"accept": accept})).text)

        async with anyio.create_task_group() as group:
            group.start_soon(scrape)
            await anyio.wait_all_tasks_blocked()
            for _ in range(20):
                group.start_soon(scrape)
            await anyio.wait_all_tasks_blocked()
            may.set()
        await scrape("a, application/openmetrics-text; version=1.0.0")
    assert told == ["made 1", *["made 2"] * 20, "made 3"]
    assert len(made) == 3
