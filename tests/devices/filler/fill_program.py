"""How tests run the fill program and read what it says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

KEY = "8f1a0c55d2e94b7733aa6e01f4c8b290"
DEADLINE_S = 50.0
ENDLESS_BYTES = 16 << 30
"""Far more than is written before a test ends the program."""


@dataclass(frozen=True)
class Ending:
    """How a run ended: its exit code and every event it wrote."""

    exit_code: int
    events: list[dict[str, Any]]

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]


def run(program: Path | str, command: str, request: dict[str, Any]) -> Ending:
    done = subprocess.run(
        [program, command],
        input=json.dumps(request).encode() + b"\n",
        stdout=subprocess.PIPE,
        timeout=DEADLINE_S,
        check=False,
    )
    return Ending(done.returncode, [json.loads(line) for line in done.stdout.splitlines()])


def start(program: Path, command: str, request: dict[str, Any]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [program, command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    stdin_of(process).write(json.dumps(request).encode() + b"\n")
    return process


def stdin_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdin is not None
    return process.stdin


def stdout_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout


def next_event(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    return json.loads(stdout_of(process).readline())


def fill_request(folder: str, **changes: str | float) -> dict[str, Any]:
    request: dict[str, Any] = {
        "directory": folder,
        "key": KEY,
        "file_bytes": 1 << 20,
        "progress_s": 1.0,
        "max_bytes": 0,
    }
    return {**request, **changes}


@contextmanager
def filling(
    program: Path, folder: str, **changes: str | float
) -> Generator[subprocess.Popen[bytes]]:
    """Give a fill that has confirmed bytes and goes on."""
    asked = fill_request(
        folder, file_bytes=1 << 26, progress_s=0.05, max_bytes=ENDLESS_BYTES, **changes
    )
    process = start(program, "fill", asked)
    with process:
        try:
            assert next_event(process)["event"] == "started"
            while next_event(process)["bytes"] == 0:
                pass
            yield process
        finally:
            process.kill()


def check_request(asked: dict[str, Any], done: dict[str, Any]) -> dict[str, Any]:
    """Ask for a check of all that a fill says it wrote."""
    kept = {name: asked[name] for name in ("directory", "key", "file_bytes", "progress_s")}
    assert "files" in done, done
    return {**kept, "files": done["files"]}
