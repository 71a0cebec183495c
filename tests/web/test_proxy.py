"""A proxy: its word counts from its own user id, or with its certificate, alone."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import httpx2
import pytest
from starlette.types import Scope
from structlog.testing import capture_logs

from benchd.domain.errors import DependencyMissing
from benchd.domain.ids import OperatorName
from benchd.domain.people import Actor, PersonId, ShownBy
from benchd.signing.tls import Tls, TlsFiles
from benchd.texts.catalogue import Catalogue
from benchd.web import connection_limit
from benchd.web.access_level import AccessLevel
from benchd.web.callers import Caller, Callers, unix_way
from benchd.web.proxy import TrustedProxy, by_certificate, by_uid
from tests.web.certificates import Authority, Pair
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
from tests.web.web_fakes import FakeRack, running_view

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


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """Of a rack with TLS whose proxy shows a certificate."""

    ours: Authority
    theirs: Authority
    server: Pair
    proxy: Pair
    tls: Tls


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    folder = tmp_path / "tls"
    folder.mkdir()
    ours, proxies = Authority(folder, "ours"), Authority(folder, "proxies")
    server = ours.issue("rack")
    files = TlsFiles(certificate=server.certificate, key=server.key, client_authority=proxies.file)
    return Certificates(
        ours=ours,
        theirs=proxies,
        server=server,
        proxy=proxies.issue("proxy", client=True),
        tls=Tls(files),
    )


async def test_the_proxy_with_its_certificate_names_a_person(
    behind: Behind, certificates: Certificates
) -> None:
    callers = proxied(by_certificate(certificates.tls))
    async with behind(callers, certificates.tls) as here:
        async with here.over_tls(certificates.proxy.shown(certificates.ours)) as client:
            assert await sees(client, {HEADER: "sato"}) == "read"
            assert await sees(client) == "wall"
            for headers in NOBODY[:5]:
                assert await sees(client, headers) == "proxy_header_refused"
        async with here.over_tls(certificates.ours.visitor()) as client:
            assert await sees(client) == "wall"
            for headers in LIES:
                assert await sees(client, headers) == "proxy_header_refused"
        async with here.over_unix() as client:  # the socket is another door
            assert await sees(client, {HEADER: "sato"}) == "proxy_header_refused"
            assert await sees(client) == "read"


@pytest.mark.parametrize("kind", ["foreign authority", "ended", "of a server", "self-signed twin"])
async def test_a_certificate_that_is_not_the_proxys_is_no_way_in(
    tmp_path: Path, behind: Behind, certificates: Certificates, kind: str
) -> None:
    (tmp_path / "other").mkdir()
    twin = Authority(tmp_path / "other", "proxies")  # the same name, another key
    shown = {
        "foreign authority": certificates.ours.issue("mallory", client=True),
        "ended": certificates.theirs.issue("late", client=True, ends=-timedelta(days=1)),
        "of a server": certificates.theirs.issue("server"),
        "self-signed twin": twin.issue("proxy", client=True),
    }[kind]
    callers = proxied(by_certificate(certificates.tls))
    async with behind(callers, certificates.tls) as here:
        async with here.over_tls(shown.shown(certificates.ours)) as client:
            with pytest.raises((httpx2.TransportError, ssl.SSLError)):
                await client.get("/healthz", headers={HEADER: "sato"})
        async with here.over_tls(certificates.ours.visitor()) as client:
            assert await sees(client) == "wall"


async def test_the_proxys_own_certificate_may_stand_for_its_authority(
    behind: Behind, certificates: Certificates
) -> None:
    other = certificates.theirs.issue("other", client=True)
    files = TlsFiles(
        certificate=certificates.server.certificate,
        key=certificates.server.key,
        client_authority=certificates.proxy.certificate,
    )
    tls = Tls(files)
    async with behind(proxied(by_certificate(tls)), tls) as here:
        async with here.over_tls(certificates.proxy.shown(certificates.ours)) as client:
            assert await sees(client, {HEADER: "sato"}) == "read"
        async with here.over_tls(other.shown(certificates.ours)) as client:
            with pytest.raises((httpx2.TransportError, ssl.SSLError)):
                await client.get("/healthz")


async def test_after_a_reload_the_former_proxy_is_nobody_on_open_connections_too(
    tmp_path: Path, rack: FakeRack, behind: Behind, certificates: Certificates
) -> None:
    callers = proxied(by_certificate(certificates.tls))
    header = {HEADER: "sato"}
    async with behind(callers, certificates.tls) as here:
        async with (
            here.over_tls(certificates.proxy.shown(certificates.ours)) as client,
            here.over_tls(certificates.proxy.shown(certificates.ours)) as watcher,
        ):
            assert await sees(client, header) == "read"
            async with watcher.stream("GET", "/api/v1/events", headers=header) as stream:
                lines = stream.aiter_lines()
                while "HQ6123" not in await anext(lines):
                    pass
                (tmp_path / "new").mkdir()
                newcomer = Authority(tmp_path / "new", "newcomers")
                certificates.theirs.file.write_bytes(newcomer.file.read_bytes())
                assert certificates.tls.renew()
                assert not certificates.tls.renew()
                rack.board.show(running_view(0.5))
                with anyio.fail_after(10):
                    async for _ in lines:
                        pass  # it ends
            with pytest.raises((httpx2.TransportError, ssl.SSLError)):
                await client.get("/api/v1", headers=header)
        newcomers = newcomer.issue("proxy-2", client=True)
        async with here.over_tls(newcomers.shown(certificates.ours)) as client:
            assert await sees(client, header) == "read"


async def test_files_that_cannot_be_used_leave_the_former_in_use(
    behind: Behind, certificates: Certificates
) -> None:
    async with behind(Callers(), certificates.tls) as here:
        certificates.server.key.write_text("no key")
        with pytest.raises(DependencyMissing, match=r"rack_key\.pem isn't a private key"):
            certificates.tls.renew()
        async with here.over_tls(certificates.ours.visitor()) as client:
            assert await sees(client) == "wall"
