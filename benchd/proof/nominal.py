"""Whether a storage is as large as its model is sold: less is hidden or counterfeit, more a lie."""

from __future__ import annotations

from collections.abc import Sequence

from benchd.proof.floors import HIGHEST_SHARE_OF_NOMINAL, LOWEST_SHARE_OF_NOMINAL


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
