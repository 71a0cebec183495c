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


def build_fleet_deb(wheels: Path, out: Path) -> Path:
    """The centre's package, of a rack's wheels."""
    return _packed("scripts/build-fleet-deb", wheels, out)


def build_deb(wheels: Path, out: Path) -> Path:
    """The Debian package of these wheels."""
    return _packed("scripts/build-deb", wheels, out)


def make_release(out: Path) -> Path:
    """The folder of a release of this commit."""
    return _packed("scripts/release", "--trial", out)


def _packed(script: str, *words: str | Path) -> Path:
    """What a script has made, with a Debian package that is larger and there minutes sooner."""
    done = ended(ROOT / script, *words, env={**own_environment(), "BENCHD_DEB_LEVEL": "1"})
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def refused(root: Path, *arguments: str | Path, by: Path = ROOT / "scripts/install") -> str:
    """What an installation says that was refused."""
    done = ended(by, "--root", root, *arguments)
    assert done.returncode == 3, done.stderr
    return done.stderr
