"""A drain is asked for over the Unix socket, and its progress can be looked at."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import anyio.to_thread
import pytest

from benchd.cli.client import BenchdClient
from benchd.cli.drain_commands import is_quiet
from benchd.slots.admission import Admission
from benchd.texts.catalogue import Catalogue
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack
from tests.web.web_running import SEES_ALL, Server, running

pytestmark = pytest.mark.asyncio

DRAIN, PAUSE = "/api/v1/drain", "/api/v1/drain/pause"


@pytest.fixture
def door() -> Admission:
    return Admission()


@pytest.fixture
def server(rack: FakeRack, catalogue: Catalogue, tmp_path: Path, door: Admission) -> Server:
    app = app_of(rack, catalogue, callers=SEES_ALL, admission=door)
    return partial(running, app, tmp_path / "benchd.sock")


async def test_a_drain_closes_the_door_and_tells_what_is_left(
    server: Server, door: Admission
) -> None:
    async with server() as here, here.over_unix() as client, here.over_tcp() as network:
        # Nobody ends the daemon from the network.
        answer = await network.post(DRAIN)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "socket_only")
        with door.job():
            before = (await client.get(DRAIN)).json()
            assert before == {"draining": False, "paused": False, "running_jobs": 1}
            assert not door.closed
            asked = await client.post(DRAIN)
            left = {"draining": True, "paused": False, "running_jobs": 1}
            assert (asked.status_code, asked.json()) == (202, left)
            assert door.closed

        def ask_again() -> tuple[object, object]:
            with BenchdClient(here.path) as client:
                return client.drain(), client.draining()

        left = {"draining": True, "paused": False, "running_jobs": 0}
        assert await anyio.to_thread.run_sync(ask_again) == (left, left)
        await door.drained()


async def test_a_pause_keeps_the_daemon_up_and_is_taken_back(
    server: Server, door: Admission
) -> None:
    async with server() as here, here.over_unix() as client, here.over_tcp() as network:
        with door.job():
            asked = (await client.put(PAUSE, json={"for_s": 600})).json()
            assert asked == {"draining": False, "paused": True, "running_jobs": 1}
        assert (await client.put(PAUSE, json={"for_s": 0})).json()["paused"] is False
        assert (await client.put(PAUSE, json={"for_s": 3601})).status_code == 422
        assert (await network.put(PAUSE, json={"for_s": 600})).status_code == 403
        assert not door.paused


async def test_a_pause_for_an_upgrade_waits_for_jobs_and_gives_up_in_time(
    server: Server, door: Admission
) -> None:
    def ask(path: Path) -> bool:
        with BenchdClient(path) as client:
            return is_quiet(client, within_s=0.0)

    async with server() as here:
        with door.job():
            assert not await anyio.to_thread.run_sync(ask, here.path)
            assert not door.paused
        assert await anyio.to_thread.run_sync(ask, here.path)
        assert door.paused
        assert not door.closed
