"""Whether a `su` program lies where root tools put one."""

from __future__ import annotations

from typing import Final

from benchd.devices.android.facts.path_search import read_search, search_command

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

LOOK_FOR_SUPERUSER: Final = search_command(SUPERUSER_PATHS, "-e")
"""A shell command; that it reached its end is part of its answer."""


def read_superuser_paths(text: str) -> tuple[str, ...]:
    """The paths at which a `su` lies."""
    return read_search(text, SUPERUSER_PATHS, "su")
