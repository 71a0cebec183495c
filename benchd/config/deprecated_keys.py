"""Keys that older configurations have and nothing reads any more: left out, and told of.

A rack goes on with such a configuration, also after it has gone back to the release that knew the
key; a key that no release knew is a mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from benchd.config.parsed_toml import Document
from benchd.domain.errors import ConfigIssue

RETIRED: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("adb", "port"): "has no effect any more: every user of the machine reached the adb server"
        " over TCP, and each handset through it. It listens on a Unix socket now; delete this line"
        ' (adb.socket = "PATH" names another socket than the default)',
    }
)
"""What has become of each, and what to do."""


def without_retired(document: Document) -> tuple[Mapping[str, object], tuple[ConfigIssue, ...]]:
    """The document's values without such keys, and what is told of those that it has."""
    data = dict(document.data)
    told: list[ConfigIssue] = []
    for (table, key), message in RETIRED.items():
        found = document.table(table)
        if key in found:
            data[table] = {name: value for name, value in found.items() if name != key}
            told.append(document.issue((table, key), message))
    return data, tuple(told)
