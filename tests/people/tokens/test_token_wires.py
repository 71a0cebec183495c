"""Tokens on real sockets: over TLS, behind a proxy, and as raw bytes on the wire."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import anyio.to_thread
import pytest

from benchd.domain.token import Scope
from benchd.people.tokens.token_authentication import TokenAuthenticator, shares
from benchd.signing.tls import Tls, TlsFiles
from benchd.texts.catalogue import Catalogue
from benchd.web.proxy import by_uid
from tests.people.people_rig import BY, HandClock, HandSeconds
from tests.people.tokens.token_rig import bearing, code_of, house_in, tokens_in
from tests.web.certificates import Authority
from tests.web.proxy_side import HEADER, proxied
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack
from tests.web.web_running import Running, running

pytestmark = pytest.mark.asyncio

LOTS, JOB_1 = "/api/v1/lots", "/api/v1/jobs/job-1/certificate.json"


async def test_over_tls(rack: FakeRack, catalogue: Catalogue, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    pair = authority.issue("rack")
    tls = Tls(TlsFiles(certificate=pair.certificate, key=pair.key))
    async with house_in(tmp_path, rack, catalogue) as house:
        secret = await house.token("stock")
        async with (
            running(house.app, tmp_path / "benchd.sock", tls=tls) as here,
            here.over_tls(authority.visitor()) as client,
        ):
            client.headers.pop("cookie")
            assert (await client.get(LOTS, headers=bearing(secret))).status_code == 200
            assert (await client.get(LOTS)).status_code == 403


async def test_behind_the_trusted_proxy_a_request_is_a_persons_or_a_systems(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    seconds = HandSeconds()
    async with tokens_in(tmp_path, HandClock()) as tokens:
        _, secret = await tokens.create(BY, "stock", [Scope.CERTIFICATES_READ], days=1)
        app = app_of(
            rack,
            catalogue,
            callers=proxied(by_uid(os.getuid())),
            allowed_hosts=["rack7.example"],
            tokens=TokenAuthenticator(tokens, shares(60, seconds), seconds),
        )
        async with running(app, tmp_path / "benchd.sock") as here, here.over_unix() as client:
            client.headers["host"] = "rack7.example"
            found = await client.get(JOB_1, headers=bearing(secret))
            assert code_of(found) == (404, "not_found")
            blank = {**bearing(secret), HEADER: ""}
            assert (await client.get(JOB_1, headers=blank)).status_code == 404
            both = await client.get(JOB_1, headers={**bearing(secret), HEADER: "sato"})
            assert code_of(both) == (400, "token_misplaced")
            # The token takes from the proxy what the proxy's word would give, and the other way.
            jobs = await client.get("/api/v1/jobs", headers=bearing(secret))
            assert code_of(jobs) == (403, "token_out_of_scope")
            assert (await client.get("/api/v1/jobs", headers={HEADER: "sato"})).status_code == 200


def raw(here: Running, *headers: bytes) -> bytes:
    """The status line of what is answered to these very bytes."""
    with socket.create_connection(("127.0.0.1", here.port), timeout=30) as wire:
        lines = (b"GET /api/v1/lots HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close", *headers)
        wire.sendall(b"\r\n".join((*lines, b"", b"")))
        return wire.makefile("rb").readline()


async def test_as_bytes_on_the_wire(rack: FakeRack, catalogue: Catalogue, tmp_path: Path) -> None:
    async with house_in(tmp_path, rack, catalogue, per_minute=60) as house:
        secret = (await house.token("stock")).encode()
        good = b"Authorization: Bearer " + secret
        cases = {
            (good,): b"200",
            (b"AUTHORIZATION:  bearer   " + secret + b"  ",): b"200",
            (good, good): b"400",
            (good, b"authorization: Basic eDp5"): b"400",
            (b"Authorization: Bearer " + secret + b", Bearer " + secret,): b"401",
            (b"Authorization: Bearer\t" + secret,): b"401",
            (b"Authorization:\tBearer\t" + secret,): b"401",
            (b"Authorization: " + secret,): b"401",
            (b"Authorization: Token " + secret,): b"401",
            (b"Authorization: Basic eDp5",): b"403",
            (b"Authorization: Bearer " + secret + b"\xff",): b"401",
            (b"Authorization: Bearer \xe3\x81\x82",): b"401",
            (b"Authorization: Bearer " + b"A" * 9000,): b"401",
            (b"Authorization: Bearer",): b"401",
            (b"X-Forwarded-Authorization: Bearer " + secret,): b"403",
        }
        async with running(house.app, tmp_path / "benchd.sock") as here:
            for headers, status in cases.items():
                line = await anyio.to_thread.run_sync(raw, here, *headers)
                assert line.split()[1] == status, headers
