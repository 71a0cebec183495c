"""The daemon's doors by its configuration: TLS and its renewal, a proxy, what anybody is shown."""

from __future__ import annotations

import os
import shutil
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import anyio
import httpx2
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from benchd.config import load_settings
from tests.patience import PATIENCE_S
from tests.rack.daemon_here import configured, reload, running_daemon
from tests.web.certificates import Authority

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(120)]

HOSTS = 'allowed_hosts = ["rack7.example"]\n'
WALL = 'anonymous = "wall"\n'
TLS = """\
tls_certificate = "rack.pem"
tls_key = "rack_key.pem"
"""


@dataclass(frozen=True, kw_only=True)
class Here:
    """A daemon that runs, and what it has logged."""

    folder: Path
    port: int
    logs: list[EventDict]

    def over_unix(self) -> httpx2.AsyncClient:
        transport = httpx2.AsyncHTTPTransport(uds=str(self.folder / "benchd.sock"))
        return httpx2.AsyncClient(transport=transport, base_url="http://benchd", timeout=PATIENCE_S)

    def over_tls(self, context: ssl.SSLContext) -> httpx2.AsyncClient:
        url = f"https://127.0.0.1:{self.port}"
        return httpx2.AsyncClient(base_url=url, verify=context, trust_env=False, timeout=PATIENCE_S)

    def over_tcp(self) -> httpx2.AsyncClient:
        url = f"http://127.0.0.1:{self.port}"
        return httpx2.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE_S)

    def told(self, event: str) -> list[EventDict]:
        return [line for line in self.logs if line["event"] == event]

    async def until(self, holds: Callable[[], bool]) -> None:
        with anyio.fail_after(60):
            while not holds():  # noqa: ASYNC110 - nobody announces a line of the log
                await anyio.sleep(0.02)


@asynccontextmanager
async def daemon(folder: Path, http: str) -> AsyncGenerator[Here]:
    file = configured(folder, http=HOSTS + http)
    port = load_settings(file).http.listen.port
    with capture_logs() as logs:
        here = Here(folder=folder, port=port, logs=logs)
        async with running_daemon(file):
            # From then on a SIGHUP is heard.
            await here.until(lambda: bool(here.told("ready")))
            yield here


async def test_tls_is_served_and_renewed_by_a_reload_and_a_broken_file_changes_nothing(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path, "authority")
    authority.issue("rack")
    (tmp_path / "new").mkdir()
    other = Authority(tmp_path / "new", "other")
    renewed = other.issue("renewed")
    async with daemon(tmp_path, WALL + TLS) as here:
        async with here.over_tls(authority.visitor()) as client:
            assert (await client.get("/api/v1")).json()["shown"] == "wall"
            assert "benchd_slot_state" in (await client.get("/metrics")).text
        async with here.over_tcp() as client:
            with pytest.raises(httpx2.TransportError):
                await client.get("/healthz")
        shutil.copy(renewed.certificate, tmp_path / "rack.pem")
        reload()
        await here.until(lambda: bool(here.told("config_refused")))
        assert [line["name"] for line in here.told("config_mistake")] == ["http.tls_key"]
        async with here.over_tls(authority.visitor()) as client:
            assert (await client.get("/healthz")).status_code == 200
        shutil.copy(renewed.key, tmp_path / "rack_key.pem")
        reload()
        await here.until(lambda: bool(here.told("tls_renewed")))
        async with here.over_tls(other.visitor()) as client:
            assert (await client.get("/healthz")).status_code == 200
        reload()
        await here.until(lambda: len(here.told("config_reloaded")) == 2)
        assert len(here.told("tls_renewed")) == 1
        assert here.told("config_needs_restart") == []


async def test_a_proxy_by_its_certificate_and_nothing_for_anybody_else(tmp_path: Path) -> None:
    authority, proxies = Authority(tmp_path, "authority"), Authority(tmp_path, "proxies")
    authority.issue("rack")
    proxy = proxies.issue("proxy", client=True)
    more = (
        'anonymous = "none"\nmetrics = false\n'
        'trusted_proxy = { client_certificate = "proxies.pem", header = "Remote-User" }\n'
    )
    async with daemon(tmp_path, TLS + more) as here:
        claim = {"remote-user": "sato", "host": "rack7.example"}
        async with here.over_tls(proxy.shown(authority)) as client, here.over_unix() as own:
            nobody = await client.get("/api/v1", headers=claim)
            assert nobody.json()["error"]["code"] == "proxy_header_refused"
            sato = {"person": "sato", "name": "佐藤 健", "roles": ["administrator"]}
            assert (await own.post("/api/v1/people", json=sato)).status_code == 201
            assert (await client.get("/api/v1", headers=claim)).json()["shown"] == "read"
            here_is = (await client.get("/api/v1/session", headers=claim)).json()
            assert (here_is["person"], here_is["shown_by"]) == ("sato", "proxy")
        async with here.over_tls(authority.visitor()) as client:
            refused = await client.get("/api/v1", headers=claim)
            assert refused.json()["error"]["code"] == "proxy_header_refused"
            assert (await client.get("/api/v1/slots")).status_code == 403
            assert (await client.get("/metrics")).status_code == 404
            assert (await client.get("/healthz")).json()["slots"] == 1
        async with here.over_unix() as client:
            assert len((await client.get("/api/v1/slots")).json()["slots"]) == 1
            assert (await client.get("/metrics")).status_code == 404


async def test_a_proxy_on_the_socket_by_its_user(tmp_path: Path) -> None:
    more = f"trusted_proxy = {{ uid = {os.getuid() + 1} }}\n"
    async with daemon(tmp_path, WALL + more) as here:
        async with here.over_tcp() as client:
            assert (await client.get("/api/v1")).json()["shown"] == "wall"
            listed = {"host": "rack7.example"}
            assert (await client.get("/api/v1", headers=listed)).status_code == 200
        async with here.over_unix() as client:
            refused = await client.get("/api/v1", headers={"x-remote-user": "sato"})
            assert refused.json()["error"]["code"] == "proxy_header_refused"
            assert (await client.get("/api/v1")).json()["shown"] == "read"


async def records_are_open(own: httpx2.AsyncClient) -> None:
    """A rack that has just started may still open its file of records."""
    asked = {"tag": "T1"}
    with anyio.fail_after(30):
        while (await own.get("/api/v1/certificates", params=asked)).is_error:  # noqa: ASYNC110
            await anyio.sleep(0.02)


async def test_another_system_by_a_token_of_the_very_ledger(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    authority.issue("rack", ends=timedelta(days=3))
    lot = {"lot": "L-1", "consignor": "private", "kind": "purchase", "paper": "No.12"}
    async with daemon(tmp_path, WALL + TLS + "[tokens]\nper_minute = 4\n") as here:
        # A certificate near its end is a warning.
        [line] = here.told("tls_certificate_ends")
        assert line["log_level"] == "warning"
        async with here.over_tls(authority.visitor()) as client, here.over_unix() as own:
            await records_are_open(own)
            stock = {"token": "stock", "scopes": ["intake:write", "certificates:read"]}
            made = await own.post("/api/v1/tokens", json=stock)
            assert made.status_code == 201
            client.headers["authorization"] = f"Bearer {made.json()['secret']}"
            assert (await client.post("/api/v1/lots", json=lot)).status_code == 200
            none = await client.get("/api/v1/certificates", params={"tag": "T1"})
            assert none.json()["certificates"] == []
            for path, code in (("jobs", "token_out_of_scope"), ("drain", "token_out_of_scope")):
                assert (await client.get(f"/api/v1/{path}")).json()["error"]["code"] == code
            late = await client.get("/api/v1/certificates", params={"tag": "T1"})
            assert (late.status_code, late.headers["retry-after"]) == (429, "15")
            # Nothing of it is a label of a metric, and the machine's own door is as ever.
            metrics = (await own.get("/metrics")).text
            assert "benchd_slot_state" in metrics
            assert "stock" not in metrics
        secret = made.json()["secret"].removeprefix("benchd_")
        assert secret not in str(here.logs)
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("ledger.sqlite*"))
    assert b"token_changed" in kept
    assert secret.encode() not in kept
