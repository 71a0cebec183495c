"""TLS on the TCP door: who only knocks keeps nobody out, and each fault of a file is told."""

from __future__ import annotations

import shutil
import ssl
import time
import warnings
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import anyio
import anyio.abc
import httpx2
import pytest
from fastapi import FastAPI

from benchd.domain.errors import DependencyMissing
from benchd.signing.tls import FileRole, Tls, TlsFiles, expiry_of, mistakes_of
from benchd.web import connection_limit, tls_listener
from tests.web.certificates import Authority, Pair
from tests.web.web_fakes import FakeRack, running_view
from tests.web.web_running import Running, Server, running

QUICK_S = 1.0


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def pair(authority: Authority) -> Pair:
    return authority.issue("rack")


@pytest.fixture
def files(pair: Pair) -> TlsFiles:
    return TlsFiles(certificate=pair.certificate, key=pair.key)


@pytest.fixture
def encrypted(app: FastAPI, tmp_path: Path, files: TlsFiles) -> Server:
    return partial(running, app, tmp_path / "benchd.sock", tls=Tls(files))


async def answers(here: Running, authority: Authority) -> bool:
    async with here.over_tls(authority.visitor()) as client:
        return (await client.get("/healthz")).status_code == 200


async def ends(stream: anyio.abc.ByteReceiveStream) -> bytes:
    """What comes until the other side has ended the connection."""
    told = b""
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while True:
            told += await stream.receive()
    return told


@pytest.mark.asyncio
async def test_pages_streams_and_answers_come_encrypted_and_the_socket_as_ever(
    encrypted: Server, rack: FakeRack, authority: Authority
) -> None:
    rack.board.show(running_view())
    async with encrypted() as here:
        async with here.over_tls(authority.visitor()) as client:
            assert "benchd" in (await client.get("/")).text
            own = {"origin": f"https://127.0.0.1:{here.port}"}
            answer = await client.post("/api/v1/jobs/x/decisions", json={}, headers=own)
            assert answer.json()["error"]["code"] == "invalid_request"
            foreign = {"host": "evil.example"}
            assert (await client.get("/healthz", headers=foreign)).status_code == 403
            async with client.stream("GET", "/api/v1/events") as stream:
                async for line in stream.aiter_lines():
                    if "HQ6123" in line:
                        break
        async with here.over_unix() as client:
            assert (await client.get("/healthz")).status_code == 200


@pytest.mark.asyncio
async def test_who_speaks_plainly_to_the_encrypted_door_gets_nothing(
    encrypted: Server, authority: Authority
) -> None:
    async with encrypted() as here:
        plain = await anyio.connect_tcp("127.0.0.1", here.port)
        await plain.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with anyio.fail_after(5):
            assert b"HTTP" not in await ends(plain)
        await plain.aclose()
        assert await answers(here, authority)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("version", "welcome"),
    [
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ],
)
async def test_nothing_older_than_tls_1_2(
    encrypted: Server, authority: Authority, version: ssl.TLSVersion, *, welcome: bool
) -> None:
    visitor = authority.visitor()
    visitor.set_ciphers("DEFAULT:@SECLEVEL=0")  # the client itself would speak the old one
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        visitor.minimum_version = visitor.maximum_version = version
    async with (
        encrypted() as here,
        here.over_tls(visitor) as client,
    ):
        if welcome:
            assert (await client.get("/healthz")).status_code == 200
        else:
            with pytest.raises(httpx2.TransportError):
                await client.get("/healthz")


@pytest.mark.asyncio
async def test_who_only_knocks_makes_room(
    encrypted: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_listener, "MOST_HANDSHAKES", 4)
    async with encrypted() as here:
        silent = [await anyio.connect_tcp("127.0.0.1", here.port) for _ in range(12)]
        assert await answers(here, authority)
        with anyio.fail_after(5):
            for stream in silent[:8]:  # the oldest, at once
                await ends(stream)
        for stream in silent:
            await stream.aclose()


@pytest.mark.asyncio
async def test_a_handshake_has_its_time(encrypted: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_listener, "REQUEST_WITHIN_S", 0.2)
    async with encrypted() as here:
        silent = await anyio.connect_tcp("127.0.0.1", here.port)
        with anyio.fail_after(5):
            await ends(silent)
        await silent.aclose()


@pytest.mark.asyncio
async def test_the_bound_of_connections_holds_behind_the_handshake_too(
    encrypted: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TCP", 2)
    async with encrypted() as here:
        async with (
            here.over_tls(authority.visitor()) as client,
            client.stream("GET", "/api/v1/events") as one,
            client.stream("GET", "/api/v1/events") as other,
        ):
            assert [one.status_code, other.status_code] == [200, 200]
            assert not await answers(here, authority)
        with anyio.fail_after(5):
            while not await answers(here, authority):
                await anyio.lowlevel.checkpoint()


@pytest.mark.asyncio
async def test_the_end_comes_quickly_with_knockers_and_streams(
    encrypted: Server, authority: Authority
) -> None:
    async with encrypted() as here:
        knocking = await anyio.connect_tcp("127.0.0.1", here.port)
        async with (
            here.over_tls(authority.visitor()) as client,
            client.stream("GET", "/api/v1/events") as stream,
        ):
            lines = stream.aiter_lines()
            await anext(lines)
            began = time.monotonic()
            here.stop.set()
            await here.ended.wait()
            assert time.monotonic() - began < QUICK_S
        await knocking.aclose()


@pytest.mark.asyncio
async def test_a_renewed_certificate_is_shown_to_whoever_comes_next(
    app: FastAPI, tmp_path: Path, files: TlsFiles, authority: Authority, pair: Pair
) -> None:
    tls = Tls(files)
    (tmp_path / "new").mkdir()
    other = Authority(tmp_path / "new", "other")
    async with (
        running(app, tmp_path / "benchd.sock", tls=tls) as here,
        here.over_tls(authority.visitor()) as client,
    ):
        assert (await client.get("/healthz")).status_code == 200
        renewed = other.issue("renewed")
        shutil.copy(renewed.certificate, pair.certificate)
        with pytest.raises(DependencyMissing, match="isn't the key of"):
            tls.renew()  # in the middle of a renewal: one file is new, the other isn't yet
        assert await answers(here, authority)
        shutil.copy(renewed.key, pair.key)
        assert tls.renew()
        assert await answers(here, other)
        with pytest.raises(httpx2.TransportError, match=r"(?i)certificate"):
            await client.get("/healthz")  # its connection has ended too


NO_PRIVATE_KEY = "rack_key.pem isn't a private key in PEM without a password; give one"


@pytest.mark.parametrize(
    ("certificate", "key", "told"),
    [
        (
            "nothing",
            "our key",
            ["rack.pem can't be read (no such file or directory); correct the path"],
        ),
        (
            "ours",
            "nothing",
            ["rack_key.pem can't be read (no such file or directory); correct the path"],
        ),
        ("our key", "ours", ["rack.pem isn't a certificate in PEM; give one", NO_PRIVATE_KEY]),
        ("ours", "another's key", ["rack_key.pem isn't the key of"]),
        ("locked", "locked key", [NO_PRIVATE_KEY]),
        ("ours as DER", "our key", ["rack.pem isn't a certificate in PEM"]),
        ("ours", "empty", ["rack_key.pem isn't a private key"]),
    ],
)
def test_each_fault_of_the_files_is_told_and_none_gets_to_serve(
    tmp_path: Path, files: TlsFiles, pair: Pair, certificate: str, key: str, told: list[str]
) -> None:
    assert list(mistakes_of(files)) == []
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "other")
    locked = other.issue("locked", password="open sesame")
    put = {
        "nothing": None,
        "empty": b"",
        "ours": pair.certificate.read_bytes(),
        "our key": pair.key.read_bytes(),
        "ours as DER": ssl.PEM_cert_to_DER_cert(pair.certificate.read_text()),
        "another's key": other.issue("another").key.read_bytes(),
        "locked": locked.certificate.read_bytes(),
        "locked key": locked.key.read_bytes(),
    }
    for file, content in ((pair.certificate, put[certificate]), (pair.key, put[key])):
        file.unlink()
        if content is not None:
            file.write_bytes(content)
    found = [f"{one.file.name} {one.message}" for one in mistakes_of(files)]
    assert len(found) == len(told)
    for message, begins in zip(found, told, strict=True):
        assert message.startswith(begins)
    with pytest.raises(DependencyMissing) as missing:
        Tls(files)
    assert "rack" in missing.value.message


def test_a_client_authority_that_is_none_gets_nobody_in(files: TlsFiles, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("")
    wrong = TlsFiles(certificate=files.certificate, key=files.key, client_authority=nothing)
    assert [(one.role, one.file) for one in mistakes_of(wrong)] == [
        (FileRole.CLIENT_AUTHORITY, nothing)
    ]
    with pytest.raises(DependencyMissing, match=r"nothing\.pem isn't a certificate"):
        Tls(wrong)


def test_the_end_of_a_certificate_is_read_of_the_racks_own(
    authority: Authority, tmp_path: Path
) -> None:
    soon = authority.issue("soon", ends=timedelta(days=3))
    chain = tmp_path / "chain.pem"
    chain.write_bytes(soon.certificate.read_bytes() + authority.file.read_bytes())
    assert expiry_of(chain) == expiry_of(soon.certificate) < expiry_of(authority.file)
