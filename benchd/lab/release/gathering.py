"""From a folder of wheels to a release with all its parts."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path

from benchd.domain.errors import UsageRefused
from benchd.domain.version_info import COMMIT_FILE
from benchd.lab.release.carried import fonts_in, programs_in
from benchd.lab.release.part import Kind, Part, Release
from benchd.lab.release.wheels import part_of


def release_of(wheels: Path, *, debian: str, processor: str, made_at: datetime) -> Release:
    """What `scripts/build-wheels` has made, and what has to be there beside it.

    Args:
        wheels: The folder.
        debian: Debian's packages, a line each: name, version, processor.
        processor: What the wheels were built for, by Debian's name.
        made_at: When the commit was made.

    Raises:
        LicenceUnknown: Nobody knows under which licence one of the parts comes.
        UsageRefused: The folder isn't one of wheels with benchd's own, or the list isn't one.
    """
    files = sorted(wheels.glob("*.whl"))
    own = [file for file in files if file.name.startswith("benchd-")]
    if len(own) != 1:
        raise UsageRefused(f"{wheels} has {len(own)} wheels of benchd: run scripts/build-wheels")
    benchd = part_of(own[0])
    with zipfile.ZipFile(own[0]) as archive:
        commit = archive.read(f"benchd/{COMMIT_FILE}").decode().strip()
        carried = [*programs_in(archive), *fonts_in(archive)]
    packages = [part_of(file) for file in files if file not in own]
    return Release(
        version=benchd.version,
        commit=commit,
        processor=processor,
        made_at=made_at,
        sha256=benchd.sha256,
        licence=benchd.licence,
        needs=benchd.needs,
        parts=(*packages, *carried, *map(_debian, debian.splitlines())),
    )


def _debian(line: str) -> Part:
    try:
        name, version, processor = line.split()
    except ValueError:
        raise UsageRefused(f"not a name, a version and a processor: {line!r}") from None
    return Part(kind=Kind.DEBIAN, name=name, version=version, processor=processor)
