"""What is left of the last owner on the raw chip after a certificate was signed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import anyio
import pytest

from tests.vm.rig import Rig, slot_name

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(900)]

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


BLOCK_BYTES = 4096
REACHED = "find {root}/local/tmp -type f -size +0 -exec filefrag -e -b1 {{}} +"
_EXTENT = re.compile(r"^\s*\d+:\s+\d+\.\.\s*\d+:\s+(\d+)\.\.\s*(\d+):", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A chip while what the fill has written is still there."""

    covered_bytes: int
    inside: Sequence[int]
    """Where markers are in what the fill's files cover."""
    outside: Mapping[int, Place]
    """Where others are, and whose place that is, where the file system can tell."""


async def look(rig: Rig, handset: str, *, ext4: bool) -> Look:
    """The daemon stands still meanwhile, since it deletes the files as soon as they are proven."""
    root = f"/run/rack-vm/chips/{handset}/data"
    await rig.shell("systemctl kill -s STOP benchd")
    try:
        text = await rig.shell(f"sync; {REACHED.format(root=root)}")
        extents = [range(int(first), int(last) + 1) for first, last in _EXTENT.findall(text)]
        markers = await rig.residue(handset)
        inside = [place for place in markers if any(place in extent for extent in extents)]
        others = [place for place in markers if place not in inside]
        device = f"/dev/mapper/chip-{handset}"
        outside = await places_of(rig, device, root, others) if ext4 and others else {}
    finally:
        await rig.shell("systemctl kill -s CONT benchd")
    return Look(covered_bytes=sum(map(len, extents)), inside=inside, outside=outside)


@pytest.mark.nightly
async def test_no_marker_is_left_in_a_reached_block_and_the_rest_is_named(rig: Rig) -> None:
    kinds = {"f2fs": "residue", "live": "live-data", "plain": "residue-ext4"}
    slots = await rig.fill_table(kinds)
    planted = {name: len(await rig.residue(name)) for name in kinds}
    # A mere reset leaves them, or the search below would prove nothing.
    assert all(count > 300 for count in planted.values()), planted
    await rig.start_service()
    looks: dict[str, Look] = {}

    async def look_at(name: str) -> None:
        await rig.until_slot(slot_name(slots[name]), "read_back")
        looks[name] = await look(rig, name, ext4=name == "plain")

    async with rig.operating():
        await rig.plug(slots)
        async with anyio.create_task_group() as tasks:
            for name in kinds:
                tasks.start_soon(look_at, name)
        ends = await rig.ends(slots)
    for name, end in ends.items():
        unreached = end.proven()["not_reached"]
        seen = looks[name]
        assert seen.covered_bytes > 0, name
        assert not seen.inside, (name, seen.inside)
        # Those that are left lie in what the certificate says wasn't reached, and fit into it.
        survivors = await rig.residue(name)
        found = re.match(r"(\d+) bytes of the user storage", unreached[0])
        assert found, unreached
        assert len({place // BLOCK_BYTES for place in survivors}) * BLOCK_BYTES <= int(found[1])
        classes = Counter(seen.outside.values())
        assert all(any(place in text for text in unreached) for place in classes), classes
        if name == "plain":
            assert set(survivors) <= set(seen.outside)
        else:
            assert not survivors, (name, survivors)
        await rig.note(
            f"{name}: {planted[name]} markers on the chip, {len(survivors)} left,"
            f" {seen.covered_bytes} bytes of it covered by the fill;"
            f" beside it: { {str(place): count for place, count in classes.items()} }"
        )


async def test_an_unencrypted_handset_with_survivors_possible_is_held(rig: Rig) -> None:
    await rig.fill_table({"plain": "unencrypted"})
    await rig.start_service()
    ends = await rig.run_to_the_end({"plain": 1})
    slot = rig.watch.slots[slot_name(1)]
    assert (slot["disposition"], slot["reason"]) == ("hold", "storage_unencrypted"), ends
    assert ends["plain"].statement is None
