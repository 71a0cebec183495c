"""The hash tree of RFC 9162: one root for many entries, and the path that shows one of them in it.

Source: RFC 9162, 2.1.1 (root), 2.1.3.1 (path) and 2.1.3.2 (check of a path), with SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(entry: bytes) -> bytes:
    """What stands for an entry: no node's hash can be taken for it."""
    return hashlib.sha256(b"\x00" + entry).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over the hashes of entries, in their order; over none SHA-256 of nothing."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return _node(root_of(leaves[:split]), root_of(leaves[split:]))


def path_of(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes beside the way from one leaf up to the root, the lowest first."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*path_of(leaves[:split], index), root_of(leaves[split:])]
    return [*path_of(leaves[split:], index - split), root_of(leaves[:split])]


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


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two that is smaller."""
    return 1 << (size - 1).bit_length() - 1
