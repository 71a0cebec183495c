"""Where a package's file lies: on a partition that comes with the system, or where owners install.

Which partitions those are stands in `places.toml`, with its sources. A module under /apex may be an
owner's update, so it isn't one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from benchd.domain.data_files import Sources, Table, Words, read_knowledge, require_sources

_WAYS_OUT: Final = frozenset({".", ".."})
_OWNERS: Final = frozenset({"data", "storage", "sdcard", "mnt", "cache", "metadata", "apex"})
"""What owners and their apps write to, or may have had replaced: no file can make it a system's."""

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,30}$")]


class _Partition(Table):
    of: Words
    names: Annotated[tuple[_Name, ...], Field(min_length=1)]
    sources: Sources


class _File(Table):
    version: Literal[1]
    sources: Mapping[str, Words]
    partition: Annotated[tuple[_Partition, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        require_sources(self.sources, (entry.sources for entry in self.partition))
        names = [name for entry in self.partition for name in entry.names]
        if len(set(names)) != len(names) or not _OWNERS.isdisjoint(names):
            message = "a partition stands twice, or is an owner's"
            raise ValueError(message)
        return self


@cache
def _on_a_partition() -> re.Pattern[str]:
    known = read_knowledge("benchd.proof", "places.toml", _File).partition
    names = "|".join(sorted(name for entry in known for name in entry.names))
    return re.compile(rf"/(?:{names})(?:/[^/]+)+")


def on_system_partition(place: str) -> bool:
    """Whether a file is the system's by its place; a place that leads elsewhere isn't."""
    return _on_a_partition().fullmatch(place) is not None and _WAYS_OUT.isdisjoint(place.split("/"))
