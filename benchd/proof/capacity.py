"""Whether a handset tells one size of its storage, by `df` and by `stat -f` at the same moment."""

from __future__ import annotations

from benchd.proof.evidence.handset import InspectEvidence
from benchd.proof.floors import LEAST_FREE_DRIFT_BYTES, MOST_FREE_DRIFT

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
