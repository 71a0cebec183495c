"""Which benchd it is that runs: the version of the release, and the commit it was made from.

Both come from git, here alone: a checkout asks when it runs, a wheel was told when it was built
(`hatch_build.py` for the commit, `[tool.hatch.version]` for the version).
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final, NamedTuple

UNKNOWN: Final = "unknown"
NO_VERSION: Final = "0+unknown"
"""The version where no tag names one, without the commit that stands behind it where git knows."""
COMMIT_FILE: Final = "commit.txt"
"""Lies in the package in a wheel, written when that was built; a checkout has none."""

_GIT_DEADLINE_S: Final = 10.0
_SHORT: Final = 12
"""How many digits of a commit stand in a version."""
_HERE: Final = Path(__file__).parents[1]

# The last pattern leaves out what no release is called, so that git looks further back.
_DESCRIBE: Final = (
    *("git", "describe", "--tags", "--long", "--always", "--abbrev=40", "--dirty"),
    *("--match=v[0-9]*", "--exclude=*[!v0-9.rc]*"),
)
# Wheels and packages take whatever lies there; `--dirty` doesn't see what git was never told of.
_UNTRACKED: Final = (
    *("git", "ls-files", "--others", "--exclude-standard", "--"),
    *("benchd", "configs", "docs", "systemd", "scripts", "deb"),
)
_NUMBER: Final = "(?:0|[1-9][0-9]*)"
_DESCRIBED: Final = re.compile(
    rf"(?:v(?P<release>{_NUMBER}(?:\.{_NUMBER})*(?:rc{_NUMBER})?)-(?P<behind>[0-9]+)-g"
    r"|v.*-g)?"
    r"(?P<commit>[0-9a-f]{40})(?P<dirty>-dirty)?"
)


class Revision(NamedTuple):
    """What a source is called."""

    version: str
    """By PEP 440: `1.2.3`; behind that tag, or changed since, `1.2.4.dev5+g0123456789ab[.dirty]`;
    where no tag is, `0+unknown.g0123456789ab[.dirty]`; where no git is, `0+unknown`."""
    commit: str
    """40 hex digits, `-dirty` behind them where files differ, or where one lies untracked in what a
    wheel or a package is made of; else `unknown`."""


_NOTHING_KNOWN: Final = Revision(NO_VERSION, UNKNOWN)


def version() -> str:
    """The version: a checkout's own of now, not the one it was set up with."""
    return _running().version


def commit() -> str:
    """The commit as 40 hex digits, `-dirty` behind it where files differ; else `unknown`."""
    return _running().commit


@cache
def _running() -> Revision:
    try:
        told = (_HERE / COMMIT_FILE).read_text().strip()
    except OSError:
        return revision_of(_HERE.parent)
    return Revision(metadata.version("benchd"), told or UNKNOWN)


def revision_of(checkout: Path) -> Revision:
    """What git calls a checkout; unknown where it can't say."""
    # Without this, an installation inside of somebody else's checkout would name theirs.
    if not (checkout / ".git").exists():
        return _NOTHING_KNOWN
    found = _DESCRIBED.fullmatch(_told(_DESCRIBE, checkout) or "")
    if found is None:
        return _NOTHING_KNOWN
    release, behind, commit = found.group("release", "behind", "commit")
    # No answer isn't "none": a tag is never claimed for a tree that nobody has looked at.
    dirty = found["dirty"] is not None or _told(_UNTRACKED, checkout) != ""
    return Revision(
        _version(release, behind, commit, dirty=dirty), f"{commit}{'-dirty' if dirty else ''}"
    )


def commit_of(checkout: Path) -> str:
    """The commit of a checkout, by git; `unknown` where that can't say."""
    return revision_of(checkout).commit


def _version(release: str | None, behind: str | None, commit: str, *, dirty: bool) -> str:
    local = f"g{commit[:_SHORT]}{'.dirty' if dirty else ''}"
    if release is None:
        return f"{NO_VERSION}.{local}"
    if behind == "0" and not dirty:
        return release
    coming = re.sub("[0-9]+$", lambda last: str(int(last[0]) + 1), release)
    return f"{coming}.dev{behind}+{local}"


def _told(command: Sequence[str], checkout: Path) -> str | None:
    """What git says; None where it can't."""
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
        return None
    return told.stdout.strip()
