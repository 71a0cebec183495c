"""What of the rack others read: metrics, and traces of jobs that have ended."""

from __future__ import annotations

import anyio
import pytest

from benchd.domain.errors import NotFound
from benchd.domain.ids import JobId
from benchd.texts.catalogue import Catalogue
from tests.web.served import app_of
from tests.web.web_fakes import JOB, FakeRack
from tests.web.web_running import SEES_ALL, browser

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
    # Without a source there is no route.
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


async def a_trace(job: JobId) -> bytes:
    if job != JOB:
        message = f"there is no job {job} that has ended"
        raise NotFound(message)
    return b'{"resourceSpans":[]}'


async def test_who_may_read_gets_it_and_who_sees_the_wall_alone_none(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    async with browser(app_of(rack, catalogue, callers=SEES_ALL, trace=a_trace)) as client:
        told = await client.get(f"/api/v1/jobs/{JOB}/trace.json")
        assert (told.status_code, told.json()) == (200, {"resourceSpans": []})
        other = await client.get("/api/v1/jobs/20261124-ffffffffff/trace.json")
        assert other.status_code == 404
    async with browser(app_of(rack, catalogue, trace=a_trace)) as client:
        assert (await client.get(f"/api/v1/jobs/{JOB}/trace.json")).status_code in (401, 403)
