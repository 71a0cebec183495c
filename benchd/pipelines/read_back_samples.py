"""Where to look: the blocks that the host draws, and the sample of SP 800-88 Rev. 1.

Rev. 1 asked of a sample, until it was withdrawn in 2025 and Rev. 2 named no numbers any more: at
least 1,000 subsections of equal size, in each at least two places that don't overlap, each of at
least 5 % of its subsection, so at least 10 % of the medium; the first and the last place always;
other places in every run.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from benchd.domain.fill import BLOCK_BYTES, FileRange, FilledFile
from benchd.proof.floors import (
    MINIMUM_SUBSECTIONS,
    PLACES_FILL_SUBSECTION,
    PLACES_IN_SUBSECTION,
)

SMALLEST_SAMPLED_BLOCKS = MINIMUM_SUBSECTIONS * PLACES_FILL_SUBSECTION
"""On less than this a place would be less than a block, so all of it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePlan:
    """A sample: its parts in the order of the files, none twice."""

    ranges: tuple[FileRange, ...]
    subsections: int
    places: int


def sample_plan(files: Sequence[FilledFile], seed: bytes) -> SamplePlan | None:
    """The sample that this seed draws; None where the medium is so small that all is read."""
    counts = [_block_count(file) for file in files]
    total = sum(counts)
    if total < SMALLEST_SAMPLED_BLOCKS:
        return None
    chooser = random.Random(seed)  # noqa: S311 - only unforeseeable before the fill, and on record
    places = [(0, 1), (total - 1, total)]
    for number in range(MINIMUM_SUBSECTIONS):
        first = number * total // MINIMUM_SUBSECTIONS
        end = (number + 1) * total // MINIMUM_SUBSECTIONS
        places += _places_in(first, end, chooser)
    merged = list(_merged(sorted(places)))
    starts = [0, *accumulate(counts)]
    ranges = [part for first, end in merged for part in _in_files(first, end, starts, files)]
    return SamplePlan(ranges=tuple(ranges), subsections=MINIMUM_SUBSECTIONS, places=len(places))


def _places_in(first: int, end: int, chooser: random.Random) -> list[tuple[int, int]]:
    """Two places of a subsection, as blocks [first, end), that don't overlap."""
    size = end - first
    length = -(-size // PLACES_FILL_SUBSECTION)
    # What both leave free is split in three; where both end up is equally likely everywhere.
    free = size - PLACES_IN_SUBSECTION * length
    one, other = sorted(chooser.randint(0, free) for _ in range(PLACES_IN_SUBSECTION))
    return [
        (first + one, first + one + length),
        (first + length + other, first + length + other + length),
    ]


def _merged(places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same blocks, each once: the first and the last may lie in another place too."""
    first, end = places[0]
    for next_first, next_end in places[1:]:
        if next_first > end:
            yield first, end
            first = next_first
        end = max(end, next_end)
    yield first, end


def _in_files(
    first: int, end: int, starts: Sequence[int], files: Sequence[FilledFile]
) -> Iterator[FileRange]:
    while first < end:
        file = bisect_right(starts, first) - 1
        stop = min(end, starts[file + 1])
        offset = (first - starts[file]) * BLOCK_BYTES
        until = min((stop - starts[file]) * BLOCK_BYTES, files[file].size_bytes)
        yield FileRange(file=file, offset=offset, size_bytes=until - offset)
        first = stop


def host_places(files: Sequence[FilledFile], count: int, seed: bytes) -> list[FileRange]:
    """First and last block and about `count` more, drawn from the seed evenly over all blocks."""
    counts = [_block_count(file) for file in files]
    total = sum(counts)
    if total == 0:
        return []
    chooser = random.Random(seed)  # noqa: S311 - the seed is the secret, and it's on record
    chosen = {0, total - 1, *chooser.sample(range(total), min(count, total))}
    starts = [0, *accumulate(counts)]
    return [part for block in sorted(chosen) for part in _in_files(block, block + 1, starts, files)]


def _block_count(file: FilledFile) -> int:
    return (file.size_bytes + BLOCK_BYTES - 1) // BLOCK_BYTES
