"""Whether a storage is one size, by `df` and by `stat -f`, and the size its model is sold with.

Less than that is hidden or counterfeit, more a lie.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchd.proof.evidence.handset_evidence import InspectEvidence
from benchd.proof.floors import (
    HIGHEST_SHARE_OF_NOMINAL,
    LEAST_FREE_DRIFT_BYTES,
    LOWEST_SHARE_OF_NOMINAL,
    MOST_FREE_DRIFT,
)

_ROUNDED_TO_BYTES = 1024
"""`df -k` counts in units of this."""


def two_sizes(
    *,
    capacity_bytes: int,
    free_bytes: int,
    statfs_capacity_bytes: int,
    statfs_free_bytes: int,
) -> str:
    """Where both differ by more than they may, in words; empty where they don't.

    The capacity is one number of one file system: nothing but rounding may differ. What is free
    changes from one moment to the next.
    """
    if abs(capacity_bytes - statfs_capacity_bytes) > _ROUNDED_TO_BYTES:
        return f"{capacity_bytes} and {statfs_capacity_bytes} bytes in all"
    allowed = max(LEAST_FREE_DRIFT_BYTES, int(MOST_FREE_DRIFT * capacity_bytes))
    if abs(free_bytes - statfs_free_bytes) > allowed:
        return f"{free_bytes} and {statfs_free_bytes} bytes free"
    return ""


def capacity_gaps(inspect: InspectEvidence) -> list[str]:
    """What keeps the capacity at inspection from being one; none where only `df` told it."""
    capacity_bytes, free_bytes = inspect.statfs_capacity_bytes, inspect.statfs_free_bytes
    if capacity_bytes is None and free_bytes is None:
        return []
    if capacity_bytes is None or free_bytes is None:
        return ["inspect: half of what stat -f told of the storage is on record"]
    differs = two_sizes(
        capacity_bytes=inspect.capacity_bytes,
        free_bytes=inspect.free_bytes,
        statfs_capacity_bytes=capacity_bytes,
        statfs_free_bytes=free_bytes,
    )
    return [f"inspect: df and stat -f tell of two sizes: {differs}"] if differs else []


def nominal_size(capacity_bytes: int, sizes: Sequence[int]) -> int | None:
    """The size that this storage has to be, of those that its model is sold with.

    The smallest that it fits into: what users get is always less. None where no size is known.
    """
    return min((size for size in sizes if size >= capacity_bytes), default=max(sizes, default=None))


def is_clearly_less(capacity_bytes: int, nominal_bytes: int) -> bool:
    """Whether more is missing than any system takes for itself."""
    return capacity_bytes < LOWEST_SHARE_OF_NOMINAL * nominal_bytes


def is_clearly_more(capacity_bytes: int, nominal_bytes: int) -> bool:
    """Whether it shows more than was ever built in, so that the table or the system is wrong."""
    return capacity_bytes > HIGHEST_SHARE_OF_NOMINAL * nominal_bytes
