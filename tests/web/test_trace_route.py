"""`/api/v1/jobs/{job}/trace.json`: for whoever may read, of a job that has ended."""

from __future__ import annotations

import pytest

from benchd.domain.errors import NotFound
from benchd.domain.ids import JobId
from benchd.texts.catalogue import Catalogue
from tests.web.conftest import SEES_ALL, browser
from tests.web.served import app_of
from tests.web.web_fakes import JOB, FakeRack

pytestmark = pytest.mark.asyncio


async def door(job: JobId) -> bytes:
    if job != JOB:
        message = f"there is no job {job} that has ended"
        raise NotFound(message)
    return b'{"resourceSpans":[]}'


async def test_who_may_read_gets_it(rack: FakeRack, catalogue: Catalogue) -> None:
    async with browser(app_of(rack, catalogue, callers=SEES_ALL, trace=door)) as client:
        told = await client.get(f"/api/v1/jobs/{JOB}/trace.json")
        assert (told.status_code, told.json()) == (200, {"resourceSpans": []})
        other = await client.get("/api/v1/jobs/20261124-ffffffffff/trace.json")
        assert other.status_code == 404


async def test_who_sees_the_wall_alone_gets_none(rack: FakeRack, catalogue: Catalogue) -> None:
    async with browser(app_of(rack, catalogue, trace=door)) as client:
        assert (await client.get(f"/api/v1/jobs/{JOB}/trace.json")).status_code in (401, 403)
