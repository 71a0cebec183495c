"""Which benchd it is that runs: the version of the release, and the commit it was made from."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

UNKNOWN: Final = "unknown"
COMMIT_FILE: Final = "commit.txt"
"""Lies beside this file in a wheel, written when that was built; a checkout has none."""

_GIT_DEADLINE_S: Final = 10.0
_HERE: Final = Path(__file__).parent


def version() -> str:
    """The version of the release."""
    return metadata.version("benchd")


@cache
def commit() -> str:
    """The commit as 40 hex digits, `-dirty` behind it where files differ; else `unknown`."""
    try:
        return (_HERE / COMMIT_FILE).read_text().strip() or UNKNOWN
    except OSError:
        return commit_of(_HERE.parent)


def commit_of(checkout: Path) -> str:
    """The commit of a checkout, by git; `unknown` where that can't say."""
    # Without this, an installation inside of somebody else's checkout would name theirs.
    if not (checkout / ".git").exists():
        return UNKNOWN
    command = ("git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty")
    try:
        told = subprocess.run(
            command,
            cwd=checkout,
            capture_output=True,
            text=True,
            timeout=_GIT_DEADLINE_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return told.stdout.strip() or UNKNOWN
