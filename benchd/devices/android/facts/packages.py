"""Answers of `pm list packages`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from benchd.devices.android.facts.storage_answers import Mount
from benchd.devices.android.shell.text import lines_of
from benchd.domain.errors import AnswerNotRecognised
from benchd.domain.handset import Package
from benchd.proof.evidence.fresh_evidence import MOST_PICTURED_PACKAGES
from benchd.proof.package_places import on_system_partition

MOST_PACKAGES: Final = 10_000
LONGEST_PLACE: Final = 255

# With `-f` its place stands before the name; the names of folders there hold "=" too, but never
# another package: two lines in one would hide one.
_PACKAGE: Final = re.compile(r"package:(?:(/[ -9;-~]{1,1000})=)?([A-Za-z0-9_.\-]{1,255})")


def read_packages(text: str) -> frozenset[str]:
    """The names of all packages; an empty list is a valid one, the exit status has to say so."""
    return frozenset(_places(text))


def count_packages(text: str) -> int:
    """How many packages are listed."""
    return len(read_packages(text))


def read_preinstalled(text: str, mounts: Mapping[str, Mount]) -> tuple[Package, ...]:
    """Those that lie on a partition of the system by the place that `-f` tells.

    Where the mount table tells of that place, it has to be read-only: what is written to while the
    handset runs may hold an owner's app, whatever its name.

    Those beyond a picture's room and places that nobody would write are left out: they count as
    an owner's.
    """
    found = [
        Package(name=name, place=place)
        for name, place in sorted(_places(text).items())
        if place is not None
        and len(place) <= LONGEST_PLACE
        and on_system_partition(place)
        and not _may_be_written(place, mounts)
    ]
    return tuple(found[:MOST_PICTURED_PACKAGES])


def _may_be_written(place: str, mounts: Mapping[str, Mount]) -> bool:
    """Whether the innermost mount that holds a place is another than a read-only one."""
    folders = map(str, PurePosixPath(place).parents)
    innermost = next((mounts[folder] for folder in folders if folder in mounts), None)
    return innermost is not None and not innermost.read_only


def _places(text: str) -> Mapping[str, str | None]:
    lines = [line for line in lines_of(text) if line]
    if len(lines) > MOST_PACKAGES:
        raise AnswerNotRecognised(f"pm list packages: more than {MOST_PACKAGES} packages")
    found = [match for line in lines if (match := _PACKAGE.fullmatch(line))]
    if len(found) != len(lines):
        raise AnswerNotRecognised("pm list packages: a line that is no package")
    places: dict[str, str | None] = {match[2]: match[1] for match in found}
    if len(places) != len(found):
        raise AnswerNotRecognised("pm list packages: a package stands twice")
    return places
