"""Answers of `pm list features`."""

from __future__ import annotations

import re
from typing import Final

from benchd.android.shell.text import lines_of
from benchd.errors import AnswerNotRecognised

MOST_FEATURES: Final = 5_000

# A version may follow the name, and the version of OpenGL ES has no name of its own.
# No name has a colon: two lines in one would hide a feature.
_FEATURE: Final = re.compile(r"feature:([A-Za-z0-9_./+-]{1,255})(?:=(?:0x)?[0-9a-fA-F]{1,16})?")


def read_features(text: str) -> frozenset[str]:
    """The names of all features; empty where the package manager says nothing."""
    found: set[str] = set()
    for line in lines_of(text):
        if not line:
            continue
        match = _FEATURE.fullmatch(line)
        if match is None or match[1] in found:
            raise AnswerNotRecognised(
                "pm list features: a line that is no feature, or stands twice"
            )
        found.add(match[1])
        if len(found) > MOST_FEATURES:
            raise AnswerNotRecognised(f"pm list features: more than {MOST_FEATURES} features")
    return frozenset(found)
