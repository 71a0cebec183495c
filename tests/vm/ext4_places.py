"""Whose a byte of an ext4 is, as its own tools tell it, in the words of a certificate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from tests.vm.rig import Rig

NO_INODE: Final = "<block not found>"
_BLOCK_SIZE: Final = re.compile(r"^Block size:\s+(\d+)$", re.MULTILINE)
_FREE: Final = re.compile(r"^  Free blocks: (.+)$", re.MULTILINE)


class Place(StrEnum):
    """What isn't the fill's, each as the certificate's `not_reached` calls it."""

    JOURNAL = "the file system's journal"
    TABLES = "the file system's tables, its last gaps"
    FREE = "of them that the file system reserves"
    FILES = "of them in use when the overwrite began"


_OWNERS: Final = {"7": Place.TABLES, "8": Place.JOURNAL}
"""Inodes of the room for more tables and of the journal: Linux, fs/ext4/ext4.h."""


async def places_of(
    rig: Rig, device: str, mountpoint: str, offsets: Sequence[int]
) -> dict[int, Place]:
    """By offset in bytes; the file system stands still meanwhile, its disk up to date."""
    dumped = await rig.shell(
        f"fsfreeze -f {mountpoint}; trap 'fsfreeze -u {mountpoint}' EXIT; dumpe2fs {device}"
    )
    found = _BLOCK_SIZE.search(dumped)
    assert found, dumped[:500]
    block_bytes = int(found[1])
    free = [_range(word) for line in _FREE.findall(dumped) for word in line.split(", ")]
    blocks = sorted({offset // block_bytes for offset in offsets})
    told = await rig.shell(f"debugfs -R 'icheck {' '.join(map(str, blocks))}' {device}")
    owners = dict(line.split("\t", 1) for line in told.splitlines()[1:])
    return {
        offset: _place(offset // block_bytes, owners[str(offset // block_bytes)], free)
        for offset in offsets
    }


def _place(block: int, owner: str, free: Sequence[range]) -> Place:
    if owner == NO_INODE:
        return Place.FREE if any(block in each for each in free) else Place.TABLES
    return _OWNERS.get(owner, Place.FILES)


def _range(word: str) -> range:
    first, _, last = word.strip().partition("-")
    return range(int(first), int(last or first) + 1)
