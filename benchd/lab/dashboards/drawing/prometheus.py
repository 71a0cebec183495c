"""A Prometheus of one's own on loopback, which ends with the block that began it."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, STDOUT
from typing import Final

import anyio
import httpx2

_BEGINS_WITHIN_S: Final = 60.0
_KEEPS: Final = "10y"
"""Else it would throw away a week that lies some months back."""


@asynccontextmanager
async def prometheus(folder: Path, config: str) -> AsyncGenerator[httpx2.AsyncClient]:
    """One that works by this configuration on the series in `folder/series`.

    Raises:
        TimeoutError: it didn't begin; `folder/prometheus.log` says why.
    """
    file, port = folder / "prometheus.yml", free_port()
    file.write_text(config)
    command = ["prometheus", f"--config.file={file}", f"--web.listen-address=127.0.0.1:{port}"]
    command += [
        f"--storage.tsdb.path={folder / 'series'}",
        f"--storage.tsdb.retention.time={_KEEPS}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = await anyio.open_process(command, stdin=DEVNULL, stdout=log, stderr=STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
            with anyio.fail_after(_BEGINS_WITHIN_S):
                while not await _is_ready(client):  # noqa: ASYNC110 - only asking tells
                    await anyio.sleep(0.2)
            yield client
    finally:
        with anyio.CancelScope(shield=True):
            process.terminate()
            await process.aclose()


def free_port() -> int:
    """One of loopback's ports on which nothing listens now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


async def _is_ready(client: httpx2.AsyncClient) -> bool:
    try:
        return (await client.get("/-/ready")).is_success
    except httpx2.TransportError:
        return False
