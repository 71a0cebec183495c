"""A drain is asked for over the Unix socket, and its progress can be looked at."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread
import pytest

from benchd.cli.client import BenchdClient
from benchd.cli.drain_commands import is_quiet
from benchd.slots.admission import Admission
from benchd.texts.catalogue import Catalogue
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack
from tests.web.web_running import SEES_ALL, running

pytestmark = pytest.mark.asyncio


async def test_a_drain_closes_the_door_and_tells_what_is_left(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    door = Admission()
    app = app_of(rack, catalogue, callers=SEES_ALL, admission=door)
    async with running(app, tmp_path / "benchd.sock") as here:
        with door.job():
            async with here.over_unix() as client:
                before = (await client.get("/api/v1/drain")).json()
                assert before == {"draining": False, "paused": False, "running_jobs": 1}
                asked = await client.post("/api/v1/drain")
            assert (asked.status_code, asked.json()) == (
                202,
                {"draining": True, "paused": False, "running_jobs": 1},
            )
            assert door.closed

        def ask_again() -> tuple[object, object]:
            with BenchdClient(here.path) as client:
                return client.drain(), client.draining()

        left = {"draining": True, "paused": False, "running_jobs": 0}
        assert await anyio.to_thread.run_sync(ask_again) == (left, left)
        await door.drained()


async def test_a_pause_keeps_the_daemon_up_and_is_taken_back(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    door = Admission()
    app = app_of(rack, catalogue, callers=SEES_ALL, admission=door)
    async with (
        running(app, tmp_path / "benchd.sock") as here,
        here.over_unix() as client,
        here.over_tcp() as network,
    ):
        address = "/api/v1/drain/pause"
        with door.job():
            asked = (await client.put(address, json={"for_s": 600})).json()
            assert asked == {"draining": False, "paused": True, "running_jobs": 1}
        assert (await client.put(address, json={"for_s": 0})).json()["paused"] is False
        assert (await client.put(address, json={"for_s": 3601})).status_code == 422
        assert (await network.put(address, json={"for_s": 600})).status_code == 403
        assert not door.paused


async def test_a_pause_for_an_upgrade_waits_for_jobs_and_gives_up_in_time(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    door = Admission()
    app = app_of(rack, catalogue, callers=SEES_ALL, admission=door)

    def ask(path: Path) -> bool:
        with BenchdClient(path) as client:
            return is_quiet(client, within_s=0.0)

    async with running(app, tmp_path / "benchd.sock") as here:
        with door.job():
            assert not await anyio.to_thread.run_sync(ask, here.path)
            assert not door.paused
        assert await anyio.to_thread.run_sync(ask, here.path)
        assert door.paused
        assert not door.closed


async def test_nobody_ends_the_daemon_from_the_network(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    door = Admission()
    app = app_of(rack, catalogue, callers=SEES_ALL, admission=door)
    async with running(app, tmp_path / "benchd.sock") as here, here.over_tcp() as client:
        answer = await client.post("/api/v1/drain")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "socket_only")
        assert (await client.get("/api/v1/drain")).json()["draining"] is False
    assert not door.closed
