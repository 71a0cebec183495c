"""Whether a `su` program lies where root tools put one."""

from __future__ import annotations

from typing import Final

from benchd.android.shell.text import lines_of
from benchd.errors import AnswerNotRecognised

SUPERUSER_PATHS: Final = tuple(
    f"{folder}/su"
    for folder in (
        "/system/bin",
        "/system/xbin",
        "/system/sbin",
        "/sbin",
        "/su/bin",
        "/vendor/bin",
        "/vendor/xbin",
        "/odm/bin",
        "/product/bin",
        "/system_ext/bin",
        "/debug_ramdisk",
        "/data/local",
        "/data/local/bin",
        "/data/local/xbin",
    )
)
"""The folders of Android's own PATH and those that public root tools use."""

_END: Final = "looked everywhere"

LOOK_FOR_SUPERUSER: Final = (
    f'for p in {" ".join(SUPERUSER_PATHS)}; do if [ -e "$p" ]; then echo "$p"; fi; done;'
    f' echo "{_END}"'
)
"""A shell command; that it reached its end is part of its answer."""


def read_superuser_paths(text: str) -> tuple[str, ...]:
    """The paths at which a `su` lies."""
    lines = lines_of(text)
    if not lines or lines[-1] != _END:
        raise AnswerNotRecognised("the search for su has no end")
    found = tuple(lines[:-1])
    if not set(found) <= set(SUPERUSER_PATHS) or len(found) > len(SUPERUSER_PATHS):
        raise AnswerNotRecognised("the search for su found what it didn't look for")
    return found
