"""A proxy over TLS: its word counts with its certificate alone, and no longer than that does."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import anyio
import httpx2
import pytest

from benchd.domain.errors import DependencyMissing
from benchd.signing.tls import Tls, TlsFiles
from benchd.web.callers import Callers
from benchd.web.proxy import by_certificate
from tests.web.certificates import Authority, Pair
from tests.web.proxy_side import HEADER, LIES, NOBODY, Behind, proxied, sees
from tests.web.web_fakes import FakeRack, running_view

pytestmark = pytest.mark.asyncio


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
