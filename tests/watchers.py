"""Prometheus and Alertmanager of one's own on loopback, with nothing left of them afterwards."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, STDOUT

import anyio
import httpx2

from tests.free_port import free_port
from tests.patience import PATIENCE_S


@asynccontextmanager
async def prometheus(
    folder: Path,
    config: str,
    *options: str,
    port: int | None = None,
    client: ssl.SSLContext | None = None,
) -> AsyncGenerator[httpx2.AsyncClient]:
    """One that works by this configuration, whose rules lie in `folder`.

    With `client` it serves over TLS, to whoever shows what that does.
    """
    file = folder / "prometheus.yml"
    file.write_text(config)
    port = port or free_port()
    command = ["prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder / 'series'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", *options]
    async with _serving(command, port, folder, client) as one:
        yield one


@asynccontextmanager
async def alertmanager(folder: Path, config: str, port: int) -> AsyncGenerator[httpx2.AsyncClient]:
    """One that tells whom this configuration names, and no other Alertmanager."""
    file = folder / "alertmanager.yml"
    file.write_text(config)
    command = ["prometheus-alertmanager", f"--config.file={file}", "--cluster.listen-address="]
    command += [f"--storage.path={folder / 'alerts'}", f"--web.listen-address=127.0.0.1:{port}"]
    async with _serving(command, port, folder) as one:
        yield one


@asynccontextmanager
async def _serving(
    command: Sequence[str], port: int, folder: Path, shown: ssl.SSLContext | None = None
) -> AsyncGenerator[httpx2.AsyncClient]:
    log = folder / f"{command[0]}.log"
    with log.open("wb") as told:
        process = await anyio.open_process(command, stdin=DEVNULL, stdout=told, stderr=STDOUT)
    try:
        url = f"http{'s' if shown else ''}://127.0.0.1:{port}"
        async with httpx2.AsyncClient(
            base_url=url, trust_env=False, timeout=PATIENCE_S, verify=shown or True
        ) as client:
            with anyio.fail_after(30):
                while not await _is_ready(client):
                    assert process.returncode is None, log.read_text()
                    await anyio.sleep(0.05)
            yield client
    finally:
        with anyio.CancelScope(shield=True):
            process.kill()
            await process.wait()
            await process.aclose()


async def _is_ready(client: httpx2.AsyncClient) -> bool:
    try:
        return (await client.get("/-/ready")).is_success
    except httpx2.TransportError:
        return False


async def query(client: httpx2.AsyncClient, expression: str) -> list[Mapping[str, object]]:
    """What Prometheus answers just now."""
    answer = await client.get("/api/v1/query", params={"query": expression})
    return answer.raise_for_status().json()["data"]["result"]


async def until(client: httpx2.AsyncClient, expression: str, within_s: float = 20) -> None:
    """Wait until Prometheus has anything to answer."""
    with anyio.fail_after(within_s):
        while not await query(client, expression):  # noqa: ASYNC110 - only asking tells
            await anyio.sleep(0.1)
