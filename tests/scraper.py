"""A real Prometheus of our own, which scrapes what a test serves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, STDOUT

import anyio
import httpx2

from tests.free_port import free_port

CONFIG = """\
global: {{scrape_interval: {every}, scrape_timeout: {every}}}
scrape_configs:
  - job_name: benchd
    static_configs: [{{targets: ["127.0.0.1:{port}"], labels: {labels}}}]
"""


@asynccontextmanager
async def prometheus(
    directory: Path, target: int, *, every: str = "1s", labels: str = "{}"
) -> AsyncGenerator[httpx2.AsyncClient]:
    """One on loopback, with nothing left of it afterwards; `labels` are put on every series."""
    port = free_port()
    directory.mkdir()
    config, log = directory / "prometheus.yml", directory / "prometheus.log"
    config.write_text(CONFIG.format(port=target, every=every, labels=labels))
    command = ["prometheus", f"--config.file={config}"]
    command += [f"--storage.tsdb.path={directory / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}"]
    with log.open("wb") as told:
        process = await anyio.open_process(command, stdin=DEVNULL, stdout=told, stderr=STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(base_url=url, trust_env=False) as client:
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
    answer = await client.get("/api/v1/query", params={"query": expression})
    return answer.raise_for_status().json()["data"]["result"]


async def until(client: httpx2.AsyncClient, expression: str) -> None:
    with anyio.fail_after(20):
        while not await query(client, expression):  # noqa: ASYNC110 - only asking tells
            await anyio.sleep(0.1)
