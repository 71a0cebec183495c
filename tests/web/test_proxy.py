"""A proxy on the Unix socket: its word counts from its own user id alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from starlette.types import Scope
from structlog.testing import capture_logs

from benchd.domain.ids import OperatorName
from benchd.domain.people import Actor, PersonId, ShownBy
from benchd.texts.catalogue import Catalogue
from benchd.web import connection_limit
from benchd.web.access_level import AccessLevel
from benchd.web.callers import Caller, Callers, unix_way
from benchd.web.proxy import TrustedProxy, by_uid
from tests.web.proxy_side import (
    HEADER,
    LIES,
    NOBODY,
    Behind,
    anybody,
    name_of,
    proxied,
    rack_behind,
    sees,
)
from tests.web.web_fakes import FakeRack

pytestmark = pytest.mark.asyncio

ME = os.getuid()
SOMEBODY_ELSE = ME + 1


async def test_the_proxy_on_the_socket_names_a_person_or_is_anybody(behind: Behind) -> None:
    async with behind(proxied(by_uid(ME))) as here, here.over_unix() as client:
        client.headers["host"] = "rack7.example"
        assert await sees(client, {HEADER: "sato"}) == "read"
        assert await sees(client, {HEADER.lower(): "suzuki-2"}) == "read"
        jobs = await client.get("/api/v1/jobs", headers={HEADER: "sato"})
        assert jobs.status_code == 200
        for headers in ({}, {HEADER: ""}, {"X_Remote_User": "sato"}, {"X-Remote-Users": "sato"}):
            assert await sees(client, headers) == "wall"
        # Neither is a person whom it lets in somebody who stands at the machine.
        refused = await client.post("/api/v1/slots/A1/dossier", headers={HEADER: "sato"})
        assert refused.json()["error"]["code"] == "socket_only"


@pytest.mark.parametrize("headers", NOBODY)
async def test_what_names_no_one_person_is_refused_of_the_proxy_too(
    behind: Behind, headers: list[tuple[str, str]]
) -> None:
    """The form of the header is held to where everybody may be named, too."""
    for names in (name_of, anybody):
        if names is anybody and headers == [(HEADER, "mallory")]:
            continue
        async with behind(proxied(by_uid(ME), anonymous=AccessLevel.READ, names=names)) as here:
            answer = await raw(here.path, headers)
            # h11 itself refuses what can't stand in a header.
            assert "proxy_header_refused" in answer or answer.startswith("HTTP/1.1 400")
            assert ("came 2 times" in answer) == (len(headers) == 2)


@pytest.mark.parametrize("headers", LIES)
async def test_from_another_user_the_header_is_refused(
    behind: Behind, headers: list[tuple[str, str]]
) -> None:
    callers = proxied(by_uid(SOMEBODY_ELSE), anonymous=AccessLevel.READ)
    async with behind(callers) as here:
        with capture_logs() as logs:
            answer = await raw(here.path, headers)
        assert "proxy_header_refused" in answer
        async with here.over_unix() as client:
            assert await sees(client) == "read"  # without it they are who they are
    [line] = [line for line in logs if line["event"] == "proxy_header_refused"]
    assert line["source"] == f"uid {ME}"
    assert "sato" not in str(line)


@pytest.mark.parametrize("headers", LIES)
async def test_no_process_on_loopback_is_the_proxy(
    behind: Behind, headers: list[tuple[str, str]]
) -> None:
    async with (
        behind(proxied(by_uid(ME))) as here,
        here.over_tcp() as client,
    ):
        assert await sees(client, headers) == "proxy_header_refused"
        assert await sees(client) == "wall"
        answer = await client.get("/api/v1/jobs", headers=headers)
        assert answer.status_code == 403


async def test_without_a_trusted_proxy_the_header_means_nothing(behind: Behind) -> None:
    async with behind(Callers()) as here, here.over_tcp() as client:
        assert await sees(client, {HEADER: "sato"}) == "wall"


@pytest.mark.as_root
@pytest.mark.skipif(ME != 0, reason="only root can become another user")
async def test_who_the_kernel_says_it_is_counts_not_who_the_request_says(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    with TemporaryDirectory() as open_to_all:
        folder = Path(open_to_all)
        folder.chmod(0o755)
        async with rack_behind(rack, catalogue, folder, proxied(by_uid(33))) as here:
            here.path.chmod(0o666)
            assert '"shown":"read"' in await asked_as(33, here.path)
            assert "proxy_header_refused" in await asked_as(34, here.path)


@pytest.mark.as_root
@pytest.mark.skipif(ME != 0, reason="only root can become another user")
async def test_a_crowd_behind_the_proxy_keeps_nobody_at_the_rack_out(
    rack: FakeRack, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_UNIX", 2)
    with TemporaryDirectory() as open_to_all:
        folder = Path(open_to_all)
        folder.chmod(0o755)
        async with (
            rack_behind(rack, catalogue, folder, proxied(by_uid(ME))) as here,
            here.over_unix() as crowd,
            crowd.stream("GET", "/api/v1/events", headers={"host": "localhost", HEADER: "sato"}),
            crowd.stream("GET", "/api/v1/events", headers={"host": "localhost", HEADER: "sato"}),
        ):
            here.path.chmod(0o666)
            async with here.over_unix() as one_more:
                answer = await one_more.get("/healthz", headers={"host": "localhost"})
            assert answer.json()["error"]["code"] == "too_many_connections"
            # Another user is served, if only to hear that theirs isn't the proxy.
            assert "proxy_header_refused" in await asked_as(33, here.path)


async def asked_as(uid: int, path: Path) -> str:
    """The answer to a request with the header, sent by a process of that user."""
    code = (
        "import socket,sys;s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);"
        "s.sendall(b'GET /api/v1 HTTP/1.1\\r\\nHost: localhost\\r\\nX-Remote-User: sato\\r\\n"
        "Connection: close\\r\\n\\r\\n');print(b''.join(iter(lambda:s.recv(4096),b'')).decode())"
    )
    done = await anyio.run_process(
        ["/usr/bin/python3", "-I", "-c", code, str(path)],
        user=uid,
        group=uid,
        extra_groups=[],
        stderr=subprocess.STDOUT,
        env={},
    )
    return done.stdout.decode().replace(" ", "")


async def raw(path: Path, headers: list[tuple[str, str]]) -> str:
    """The answer over the Unix socket to headers that no client would send."""
    async with await anyio.connect_unix(path) as stream:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        head = f"GET /api/v1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n"
        await stream.send(head.encode("latin-1"))
        told = b""
        async for chunk in stream:
            told += chunk
        return told.decode("latin-1")


async def test_the_proxys_visitors_come_under_a_listed_name_only(behind: Behind) -> None:
    async with (
        behind(proxied(by_uid(ME))) as here,
        here.over_unix() as client,
    ):
        for host, code in (("rack7.example", "wall"), ("evil.example", "host_refused")):
            assert await sees(client, {"host": host}) == code
        assert await sees(client, {"host": "evil.example", HEADER: "sato"}) == "host_refused"
        decisions = "/api/v1/jobs/x/decisions"
        own = {"host": "rack7.example", "origin": "https://rack7.example", HEADER: "sato"}
        foreign = {**own, "origin": "https://evil.example"}
        codes = [
            (await client.post(decisions, json={}, headers=headers)).json()["error"]["code"]
            for headers in (own, foreign)
        ]
        assert codes == ["invalid_request", "origin_refused"]


async def test_the_machines_own_people_are_shown_by_the_socket_but_the_proxy_is_not(
    behind: Behind,
) -> None:
    for uid, expected in ((SOMEBODY_ELSE, ("sato", ShownBy.UNIX)), (ME, None)):
        proxy = TrustedProxy(header=HEADER, sends=by_uid(uid), name_of=name_of)
        way = unix_way({ME: PersonId("sato")}.get, name_of, proxy)
        actor = await heard(behind, Callers((way,), proxy=proxy))
        assert (actor and (actor.person, actor.shown_by)) == expected
    way = unix_way({ME: PersonId("mallory")}.get, name_of, None)
    assert await heard(behind, Callers((way,))) is None


async def heard(
    behind: Behind, callers: Callers, headers: Mapping[str, str] | None = None
) -> Actor | None:
    """Who a request over the socket was sent by."""
    found: list[Actor | None] = []

    class Listening(Callers):
        def of(self, scope: Scope) -> Caller:
            caller = callers.of(scope)
            found.append(caller.actor)
            return caller

    listening = Listening(proxy=callers.proxy)
    async with behind(listening) as here, here.over_unix() as client:
        client.headers["host"] = "localhost"
        await client.get("/api/v1", headers=dict(headers or {}))
    return found[-1]


async def test_a_person_behind_the_proxy_is_an_actor_with_their_name_and_source(
    behind: Behind,
) -> None:
    actor = await heard(behind, proxied(by_uid(ME)), {HEADER: "sato"})
    assert actor == Actor(
        person=PersonId("sato"),
        name=OperatorName("佐藤"),
        shown_by=ShownBy.PROXY,
        source=f"socket, uid {ME}",
    )
