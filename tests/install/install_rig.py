"""Runs the scripts under test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def own_environment() -> dict[str, str]:
    """This process's environment without umockdev's library, which no other root has."""
    return {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}


def ended(
    *command: str | Path,
    stdin: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """A command that has ended, however; without `env` in this process's own environment."""
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        input=stdin,
        cwd=cwd,
        env=own_environment() if env is None else env,
    )


def run(*command: str | Path, stdin: str = "") -> str:
    """Run a command; what it said, or a failure that shows it."""
    done = ended(*command, stdin=stdin)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def refused(root: Path, *arguments: str | Path, by: Path = ROOT / "scripts/install") -> str:
    """What an installation says that was refused."""
    done = ended(by, "--root", root, *arguments)
    assert done.returncode == 3, done.stderr
    return done.stderr
