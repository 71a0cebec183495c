"""A started daemon holds what its slots need, and nothing that only a paper or a hook does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from tests.devices.android.handset_fakes import FakeLink, fake_server
from tests.free_port import free_port

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]

NOT_AT_START = (
    *("typst", "segno", "pyhanko", "asn1crypto"),
    *("httpx2", "httpcore2", "truststore", "requests", "urllib3", "PIL"),
    *("alembic", "sqlalchemy", "benchd.lab", "benchd.cli"),
)
"""Each takes some 50 ms or some MB: it is loaded by who needs it, beside the event loop.

Typesetting, codes and signed PDFs are the press's; HTTP is of hooks, traces and anchors.
"""


async def test_a_started_daemon_has_loaded_nothing_that_only_papers_or_hooks_need(
    tmp_path: Path,
) -> None:
    async with fake_server() as server:
        for request in ("host:track-devices", "host:track-devices-l"):
            server.on(request, nothing_plugged)
        done = await anyio.run_process(
            [
                *(sys.executable, "-m", "tests.daemon.started_daemon"),
                *(str(tmp_path), str(server.place.path), str(free_port())),
            ],
            stderr=subprocess.STDOUT,
            check=False,
        )
    told = done.stdout.decode()
    assert done.returncode == 0, told
    loaded = set(told.splitlines())
    assert "benchd.daemon.composition" in loaded
    assert [name for name in NOT_AT_START if name in loaded] == []


async def nothing_plugged(link: FakeLink, _request: str) -> None:
    await link.okay()
    await link.block("")
    await link.until_closed()
