"""The shipped telemetry of a fleet, in real programs: series by remote write, journals, silence."""

from __future__ import annotations

import configparser
import itertools
import ssl
import subprocess
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
import yaml
from anyio.abc import SocketStream

from tests.fleet.high_availability import until as eventually
from tests.free_port import free_port
from tests.nginx_running import moved, needs_nginx, nginx_with
from tests.watchers import prometheus, query, until
from tests.web.certificates import Authority, Pair

CONFIGS = Path(__file__).parents[2] / "configs"
RACKS = (("a", "rack-1"), ("a", "rack-2"), ("b", "rack-1"))
FIRING = 'ALERTS{{alertname="{}",alertstate="firing",{}}}'
REMOTE = Path("/usr/lib/systemd/systemd-journal-remote")
UPLOAD = Path("/usr/lib/systemd/systemd-journal-upload")


@dataclass
class Line:
    """What a site's racks are heard through, until it is cut."""

    to: int
    port: int = field(default_factory=free_port)

    @asynccontextmanager
    async def laid(self) -> AsyncGenerator[None]:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=self.port)
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, self._carry)
            yield
            group.cancel_scope.cancel()

    async def _carry(self, near: SocketStream) -> None:
        async with (
            near,
            await anyio.connect_tcp("127.0.0.1", self.to) as far,
            anyio.create_task_group() as group,
        ):
            group.start_soon(self._pass_on, far, near)
            await self._pass_on(near, far)
            group.cancel_scope.cancel()

    async def _pass_on(self, near: SocketStream, far: SocketStream) -> None:
        try:
            async for data in near:
                await far.send(data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return


def shipped(name: str) -> Any:  # noqa: ANN401 - YAML
    return yaml.safe_load((CONFIGS / name).read_text())


@asynccontextmanager
async def centre(
    folder: Path, own: Pair, racks: Authority, client: ssl.SSLContext, port: int
) -> AsyncGenerator[httpx2.AsyncClient]:
    """The centre's Prometheus, in seconds for minutes."""
    folder.mkdir()
    web = shipped("fleet/prometheus-web.yml")
    files = {"cert_file": own.certificate, "key_file": own.key, "client_ca_file": racks.file}
    web["tls_server_config"] |= {name: str(file) for name, file in files.items()}
    (folder / "web.yml").write_text(yaml.safe_dump(web))
    rules = (CONFIGS / "fleet/silence.yml").read_text()
    (folder / "silence.yml").write_text(rules.replace("for: 5m", "for: 1s"))
    config = shipped("fleet/prometheus.yml")
    config["global"]["evaluation_interval"] = "1s"
    # Nobody is to be alerted.
    del config["alerting"]
    options = ("--web.enable-remote-write-receiver", f"--web.config.file={folder / 'web.yml'}")
    async with prometheus(
        folder,
        yaml.safe_dump(config),
        *options,
        "--query.lookback-delta=4s",
        port=port,
        client=client,
    ) as one:
        yield one


@asynccontextmanager
async def rack(
    folder: Path, site: str, name: str, line: Line, own: Pair, trusted: Authority
) -> AsyncGenerator[None]:
    """A rack's Prometheus, which takes itself for benchd."""
    folder.mkdir()
    port = free_port()
    config = shipped("prometheus/prometheus.yml") | shipped("fleet/remote-write.yml")
    config["global"] = {"scrape_interval": "1s"}
    del config["rule_files"], config["alerting"]
    [target] = config["scrape_configs"][0]["static_configs"]
    target["targets"] = [f"127.0.0.1:{port}"]
    target["labels"] = {"site": site, "rack": name}
    [write] = config["remote_write"]
    write["url"] = f"https://127.0.0.1:{line.port}/api/v1/write"
    files = {"ca_file": trusted.file, "cert_file": own.certificate, "key_file": own.key}
    write["tls_config"] = {name: str(file) for name, file in files.items()}
    write["queue_config"] = {"batch_send_deadline": "500ms"}
    async with prometheus(folder, yaml.safe_dump(config), port=port):
        yield


@pytest.mark.asyncio
@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_dead_rack_is_told_from_a_cut_line_and_the_gap_is_filled(tmp_path: Path) -> None:
    trusted, racks = Authority(tmp_path, "centre authority"), Authority(tmp_path, "racks")
    port = free_port()
    lines = {site: Line(to=port) for site in ("a", "b")}
    reader = racks.issue("grafana", client=True)
    pairs = {each: racks.issue("-".join(each), client=True) for each in RACKS}
    async with AsyncExitStack() as stack, AsyncExitStack() as power, AsyncExitStack() as cable:
        own = trusted.issue("centre")
        here = await stack.enter_async_context(
            centre(tmp_path / "centre", own, racks, reader.shown(trusted), port)
        )
        await stack.enter_async_context(lines["a"].laid())
        await cable.enter_async_context(lines["b"].laid())
        for site, name in RACKS:
            ends_with = power if name == "rack-2" else stack
            await ends_with.enter_async_context(
                rack(
                    tmp_path / f"{site}-{name}",
                    site,
                    name,
                    lines[site],
                    pairs[site, name],
                    trusted,
                )
            )
        await until(here, 'count(up{job="benchd"}) == 3', within_s=60)
        began = time.time()

        await power.aclose()
        await until(here, FIRING.format("BenchdRackSilent", 'site="a",rack="rack-2"'), within_s=60)
        assert await query(here, 'ALERTS{alertname="BenchdSiteSilent"}') == []

        await cable.aclose()
        await until(here, FIRING.format("BenchdSiteSilent", 'site="b"'), within_s=60)
        assert await query(here, 'ALERTS{alertname="BenchdRackSilent",site="b"}') == []

        async with lines["b"].laid():
            silent = FIRING.format("BenchdSiteSilent", 'site="b"')
            await until(here, f"absent({silent})", within_s=60)
            # No second is missing of those in which nothing came.
            whole = f'count_over_time(up{{site="b"}}[{int(time.time() - began)}s])'
            await until(here, f"{whole} >= {int(time.time() - began) - 2}", within_s=60)
            dead = f'count_over_time(up{{site="a",rack="rack-2"}}[{int(time.time() - began)}s])'
            assert await query(here, f"{dead} >= {int(time.time() - began) - 2}") == []


@pytest.mark.asyncio
async def test_series_are_taken_and_shown_by_certificate_alone(tmp_path: Path) -> None:
    trusted, racks = Authority(tmp_path, "centre authority"), Authority(tmp_path, "racks")
    other = Authority(tmp_path, "another authority").issue("foreign", client=True)
    port = free_port()
    reader = racks.issue("grafana", client=True).shown(trusted)
    async with centre(tmp_path / "centre", trusted.issue("centre"), racks, reader, port) as here:
        assert (await here.get("/api/v1/labels")).is_success
        for stranger in (trusted.visitor(), other.shown(trusted)):
            url = f"https://127.0.0.1:{port}"
            async with httpx2.AsyncClient(verify=stranger, trust_env=False) as client:
                for path in ("/api/v1/labels", "/api/v1/write"):
                    with pytest.raises((httpx2.TransportError, ssl.SSLError)):
                        await client.post(f"{url}{path}")


def upload_options(**filled: object) -> list[str]:
    """What the shipped file says, as options, with these in the place of its own values."""
    file = configparser.ConfigParser(interpolation=None)
    file.optionxform = str  # pyright: ignore[reportAttributeAccessIssue] - as its manual has it
    file.read(CONFIGS / "fleet/journal-upload.conf")
    options = {
        "URL": "--url",
        "ServerKeyFile": "--key",
        "ServerCertificateFile": "--cert",
        "TrustedCertificateFile": "--trust",
    }
    assert set(file["Upload"]) == set(options) == set(filled)
    return [f"{options[key]}={value}" for key, value in filled.items()]


def exported(*lines: str) -> bytes:
    """A journal in its export format."""
    entries: list[str] = []
    for number, line in zip(itertools.count(1), lines, strict=False):
        entries += [
            f"__CURSOR=s=0;i={number}",
            f"__REALTIME_TIMESTAMP={1_764_547_200_000_000 + number}",
            f"__MONOTONIC_TIMESTAMP={number}",
            "_BOOT_ID=" + "1" * 32,
            "_MACHINE_ID=" + "2" * 32,
            "_HOSTNAME=rack-1",
            "_SYSTEMD_UNIT=benchd.service",
            f"MESSAGE={line}",
            "",
        ]
    return ("\n".join(entries) + "\n").encode()


def received(folder: Path) -> list[str]:
    """The lines that benchd's unit of that rack has logged."""
    command = ["journalctl", "--output=cat", "_HOSTNAME=rack-1", "_SYSTEMD_UNIT=benchd.service"]
    lines: list[str] = []
    for file in sorted(folder.glob("*.journal")):
        done = subprocess.run(
            [*command, f"--file={file}"], capture_output=True, text=True, check=True
        )
        lines += done.stdout.splitlines()
    return lines


@needs_nginx
@pytest.mark.asyncio
@pytest.mark.nightly
@pytest.mark.parametrize("known", [True, False])
async def test_a_racks_journal_reaches_the_centre_by_its_certificate(
    tmp_path: Path, known: bool
) -> None:
    trusted, racks = Authority(tmp_path, "centre authority"), Authority(tmp_path, "racks")
    own = trusted.issue("centre")
    sender = (racks if known else trusted).issue("rack", client=True)
    (tmp_path / "lines").write_bytes(exported("job_began", "job_ended"))
    journal, kept = tmp_path / "rack.journal", tmp_path / "kept"
    kept.mkdir()
    subprocess.run([REMOTE, f"--output={journal}", tmp_path / "lines"], check=True)
    outside, inside = free_port(), free_port()
    server = moved(
        (CONFIGS / "fleet/journals-nginx.conf").read_text(),
        {
            "listen 192.0.2.10:19532 ssl": f"listen 127.0.0.1:{outside} ssl",
            "http://127.0.0.1:19533": f"http://127.0.0.1:{inside}",
            "/etc/ssl/certs/centre.pem": str(own.certificate),
            "/etc/ssl/private/centre_key.pem": str(own.key),
            "/etc/ssl/certs/racks-ca.pem": str(racks.file),
        },
    )
    sends = [
        UPLOAD,
        f"--file={journal}",
        "--follow=no",
        f"--save-state={tmp_path / 'state'}",
        *upload_options(
            URL=f"https://localhost:{outside}",
            ServerKeyFile=sender.key,
            ServerCertificateFile=sender.certificate,
            TrustedCertificateFile=trusted.file,
        ),
    ]
    takes = [REMOTE, f"--listen-http=127.0.0.1:{inside}", f"--output={kept}"]
    async with await anyio.open_process(takes, stdout=None, stderr=None) as taking:
        with nginx_with(server, tmp_path / "nginx"):

            def sent() -> list[str] | None:
                """What has come in, or that nginx has refused."""
                done = subprocess.run(sends, capture_output=True, text=True, check=False)
                return received(kept) or (["refused"] if "code 400" in done.stderr else None)

            told = await eventually("nginx has answered", sent)
        taking.terminate()
    assert told == (["job_began", "job_ended"] if known else ["refused"])
    assert known or received(kept) == []
