"""Runs the fill program on this machine, as the daemon has it run on a handset."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from benchd.devices.android.filler import program_path
from benchd.domain.errors import BenchdError
from benchd.domain.ids import JsonValue

FILE_BYTES = 1 << 30
THIS_MACHINE = "x86_64"


class RunFailed(BenchdError):
    """Raised when a program that is being measured doesn't end as it should."""


def order(folder: Path, *, max_bytes: int = 0) -> dict[str, JsonValue]:
    """What the program is asked: a key of this run's own, into a folder of its own."""
    return {
        "directory": str(folder / "benchd"),
        "key": secrets.token_hex(16),
        "file_bytes": FILE_BYTES,
        "progress_s": 1.0,
        "max_bytes": max_bytes,
    }


class Run:
    """One run of the program in the background; `wait` gives its last line and its seconds.

    A `with` block leaves none running: a medium that is in use can't be taken down.
    """

    def __init__(self, command: str, request: Mapping[str, JsonValue], abi: str) -> None:
        self._command = command
        self._begun = time.monotonic()
        self._process = subprocess.Popen(
            [program_path(abi), command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace
        self._process.kill()
        self._process.wait()

    def wait(self) -> tuple[Mapping[str, JsonValue], float]:
        """Wait for its end; RunFailed unless that is a whole one."""
        lines: Sequence[bytes] = ()
        if self._process.stdout is not None:
            lines = self._process.stdout.read().splitlines()
        code = self._process.wait()
        seconds = time.monotonic() - self._begun
        if self._process.stdin is not None:
            self._process.stdin.close()
        last = cast("Mapping[str, JsonValue]", json.loads(lines[-1] if lines else b"{}"))
        if code != 0:
            raise RunFailed(f"the fill program's {self._command} ended with {code}: {last}")
        return last, seconds


def fill(folder: Path, abi: str, *, max_bytes: int = 0) -> tuple[Run, Mapping[str, JsonValue]]:
    """Start a fill; also gives what was asked."""
    asked = order(folder, max_bytes=max_bytes)
    return Run("fill", asked, abi), asked


def check(asked: Mapping[str, JsonValue], filled: Mapping[str, JsonValue], abi: str) -> Run:
    """Start a whole check of what a fill says that it wrote."""
    request = {key: value for key, value in asked.items() if key != "max_bytes"}
    return Run("check", {**request, "files": filled["files"]}, abi)
