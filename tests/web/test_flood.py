"""Rows 1 and 6 over real sockets: strangers stop no rack at work, and keep nobody out."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from benchd.lab.benchmarks.visitors.programs import STRANGER
from tests.patience import PATIENCE_S
from tests.web.test_connection_limit import COOKIE, asked, line_of, side
from tests.web.web_fakes import JOB

STRANGERS = 192
ROUNDS = 6
BUSY = "while True: pass"


@contextmanager
def busy_neighbours(count: int) -> Generator[None]:
    """Other work on this machine."""
    neighbours = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for neighbour in neighbours:
            neighbour.kill()
            neighbour.wait()


def get(port: int, path: str, headers: str = "") -> bytes:
    """The first line of the answer to a connection of its own, which ends in good order."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as stream:
        stream.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n".encode()
        )
        told = b""
        while part := stream.recv(65536):
            told += part
    return told.partition(b"\r\n")[0]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["ask", "hold"])
@pytest.mark.parametrize(
    "neighbours",
    [
        0,
        pytest.param(10, marks=[pytest.mark.nightly, pytest.mark.timeout(600)]),
    ],
)
def test_rows_1_and_6_a_rack_at_work_lives_through_strangers(
    tmp_path: Path, what: str, neighbours: int
) -> None:
    with ExitStack() as stack:
        rack = stack.enter_context(side("-m", "tests.web.flooded_side", tmp_path))
        port = int(line_of(rack))
        stack.enter_context(busy_neighbours(neighbours))
        crowd = stack.enter_context(side(STRANGER, what, f"127.0.0.1:{port}", "A1", STRANGERS))
        assert line_of(crowd) == "there"
        asked(rack)
        for _ in range(ROUNDS):
            for path, headers in (
                ("/healthz", ""),
                ("/metrics", ""),
                ("/api/v1/slots", COOKIE),
                (f"/api/v1/jobs/{JOB}", COOKIE),
            ):
                assert get(port, path, headers) == b"HTTP/1.1 200 OK", path
        done = asked(rack)
        while done == "0":
            done = asked(rack)
        assert done.isdecimal(), done
