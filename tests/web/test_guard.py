from __future__ import annotations

import pytest

from tests.web.web_fakes import JOB, FakeRack, running_view
from tests.web.web_running import Browser

pytestmark = pytest.mark.asyncio

DECISIONS = f"/api/v1/jobs/{JOB}/decisions"
ANSWER = {"gate": "consent", "approved": True}


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8420",
        "127.0.0.1",
        "127.9.9.9",
        "localhost:8420",
        "LOCALHOST",
        "[::1]:8420",
        "rack7.example",
        "Rack7.Example:443",
    ],
)
async def test_own_hosts_are_served(visit: Browser, host: str) -> None:
    async with visit() as client:
        answer = await client.get("/api/v1/slots", headers={"host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8420",
        "127.0.0.1.evil.example",
        "rack7.example.evil.example",
        "192.0.2.1",
        "0.0.0.0:8420",
        "",
        ":8420",
        "localhost:99999",
        "localhost:x",
        "user@localhost",
        "localhost/x",
        "localhost@evil.example",
        "[::1",
        "::1",
        "localhost.evil.example",
    ],
)
async def test_foreign_hosts_are_refused(rack: FakeRack, visit: Browser, host: str) -> None:
    rack.board.show(running_view())
    async with visit() as client:
        answer = await client.get("/api/v1/slots", headers={"host": host})
        own = ("host", "127.0.0.1:8420")
        both = await client.get("/healthz", headers=[own, ("host", host)])
    assert answer.status_code == both.status_code == 403
    assert answer.json()["error"]["code"] == "host_refused"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:3000"},
        {"origin": "null"},
        {"origin": "file://127.0.0.1:8420"},
        {"origin": "http://[::1"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://127.0.0.1:8420", "sec-fetch-site": "cross-site"},
    ],
)
async def test_writes_of_other_sites_are_refused(visit: Browser, headers: dict[str, str]) -> None:
    async with visit() as client:
        answer = await client.post(DECISIONS, json=ANSWER, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "origin_refused"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1:8420"},
        {"origin": "http://127.0.0.1:8420", "sec-fetch-site": "same-origin"},
        {"host": "rack7.example", "origin": "https://rack7.example"},
    ],
)
async def test_own_writes_come_through(visit: Browser, headers: dict[str, str]) -> None:
    async with visit() as client:
        answer = await client.post(DECISIONS, json=ANSWER, headers=headers)
    assert answer.json()["error"]["code"] == "not_found"
