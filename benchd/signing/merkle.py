"""The hash tree of RFC 9162: one root for many entries, and the path that shows one of them in it.

Source: RFC 9162, 2.1.1 (root), 2.1.3.1 (path) and 2.1.3.2 (check of a path), with SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache


def leaf_hash(entry: bytes) -> bytes:
    """What stands for an entry: no node's hash can be taken for it."""
    return hashlib.sha256(b"\x00" + entry).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over the hashes of entries, in their order; over none SHA-256 of nothing."""
    return root_and_path(leaves, 0)[0] if leaves else hashlib.sha256(b"").digest()


def root_and_path(leaves: Sequence[bytes], index: int) -> tuple[bytes, list[bytes]]:
    """The root, and the hashes beside the way from one leaf up to it, the lowest first.

    Level by level: who has nobody beside it goes up as it is, which splits each tree at the largest
    power of two that is smaller.
    """
    level, place, path = list(leaves), index, list[bytes]()
    while len(level) > 1:
        if place ^ 1 < len(level):
            path.append(level[place ^ 1])
        nodes = [_node(*pair) for pair in zip(level[::2], level[1::2], strict=False)]
        level, place = nodes + level[2 * len(nodes) :], place >> 1
    return level[0], path


def leads_to(root: bytes, leaf: bytes, path: Sequence[bytes], *, index: int, size: int) -> bool:
    """Whether a path shows this leaf at its index in the tree of that size and root."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for beside in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = _node(beside, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = _node(found, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


@lru_cache(maxsize=1 << 14)
def _node(left: bytes, right: bytes) -> bytes:
    """Kept, since one tree has nearly all nodes of the one before it."""
    return hashlib.sha256(b"\x01" + left + right).digest()
