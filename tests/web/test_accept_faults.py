"""A daemon without descriptors says so once a minute, and how often it couldn't let anybody in."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys
from pathlib import Path

import anyio
import httpx2
import pytest
from structlog.testing import capture_logs

from benchd.web.accept_faults import EACH_S, AcceptFaults
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
NONE_LEFT = OSError(errno.EMFILE, "Too many open files")
LINE = "connection_not_accepted"


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_it_is_told_at_once_then_once_a_minute_and_none_is_lost() -> None:
    with capture_logs() as lines:
        with AcceptFaults() as faults:
            for _ in range(150):
                faults.tell(NONE_LEFT)
                await anyio.sleep(1.1)
        assert [line["tries"] for line in lines] == [1, 54, 55, 40]
        assert {line["event"] for line in lines} == {LINE}
        lines.clear()
        with AcceptFaults() as faults:
            faults.tell(NONE_LEFT)
            await anyio.sleep(3 * EACH_S)
            faults.tell(NONE_LEFT)
    # What had ended meanwhile is new when it comes again.
    assert [line["tries"] for line in lines] == [1, 1]


@pytest.mark.parametrize("way", ["plain", "tls"])
def test_without_descriptors_there_is_a_line_a_minute_and_then_it_lets_in(
    tmp_path: Path, way: str
) -> None:
    command = [sys.executable, "-m", "tests.web.starved_side", str(tmp_path), way]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as daemon:
        assert daemon.stdin is not None
        assert daemon.stdout is not None
        assert daemon.stderr is not None
        port = int(daemon.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S):
            first = daemon.stderr.readline()
            daemon.stdin.write("\n")
            daemon.stdin.flush()
            scheme = "https" if way == "tls" else "http"
            with httpx2.Client(
                base_url=f"{scheme}://127.0.0.1:{port}",
                verify=False,  # who it is isn't what is asked here
                trust_env=False,
                timeout=PATIENCE_S,
            ) as browser:
                assert browser.get("/healthz").status_code == 200
        _, rest = daemon.communicate(timeout=PATIENCE_S)
    lines = [json.loads(line) for line in (first + rest).splitlines()]
    assert {line["event"] for line in lines} == {LINE}
    # The first at once; those of the rest of this minute when it ended.
    assert len(lines) <= 2
    assert lines[0] | {"tries": 1, "level": "warning"} == lines[0]
