"""Runs the scripts under test."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, stdin: str = "", **environment: str) -> str:
    """Run a command; what it said, or a failure that shows it."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        input=stdin,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr
