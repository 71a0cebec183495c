"""Answers of `pm list packages`."""

from __future__ import annotations

import re
from typing import Final

from benchd.android.shell.text import lines_of
from benchd.errors import AnswerNotRecognised

MOST_PACKAGES: Final = 10_000

# With `-f` its place stands before the name; the names of folders there hold "=" too, but never
# another package: two lines in one would hide one.
_PACKAGE: Final = re.compile(r"package:(?:/[ -9;-~]{1,1000}=)?([A-Za-z0-9_.\-]{1,255})")


def read_packages(text: str) -> frozenset[str]:
    """The names of all packages; an empty list is a valid one, the exit status has to say so."""
    lines = [line for line in lines_of(text) if line]
    if len(lines) > MOST_PACKAGES:
        raise AnswerNotRecognised(f"pm list packages: more than {MOST_PACKAGES} packages")
    found = [match[1] for line in lines if (match := _PACKAGE.fullmatch(line))]
    if len(found) != len(lines):
        raise AnswerNotRecognised("pm list packages: a line that is no package")
    if len(set(found)) != len(found):
        raise AnswerNotRecognised("pm list packages: a package stands twice")
    return frozenset(found)


def count_packages(text: str) -> int:
    """How many packages are listed."""
    return len(read_packages(text))
