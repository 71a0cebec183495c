"""Where a package's file lies: on a partition that comes with the system, or where owners install.

Source of the partitions: AOSP, "Partitions overview"; only the system's builder writes to them, and
a reset leaves them as they are. A module under /apex may be an owner's update, so it isn't one.
"""

from __future__ import annotations

import re
from typing import Final

_ON_A_PARTITION: Final = re.compile(r"/(?:system|system_ext|product|vendor|odm|oem)(?:/[^/]+)+")
_WAYS_OUT: Final = frozenset({".", ".."})


def on_system_partition(place: str) -> bool:
    """Whether a file is the system's by its place; a place that leads elsewhere isn't."""
    return _ON_A_PARTITION.fullmatch(place) is not None and _WAYS_OUT.isdisjoint(place.split("/"))
