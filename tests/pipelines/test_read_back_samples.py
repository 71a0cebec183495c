"""The sampler against the rule of SP 800-88 Rev. 1, on media of every form."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from benchd.domain.fill import FileRange, FilledFile
from benchd.pipelines.read_back_samples import (
    BLOCK_BYTES,
    SMALLEST_SAMPLED_BLOCKS,
    SamplePlan,
    host_places,
    sample_plan,
)
from benchd.proof.floors import MINIMUM_SUBSECTIONS

GIB = 1 << 30


def medium(*sizes: int) -> list[FilledFile]:
    return [
        FilledFile(name=f"fill-{number:06d}.dat", stream_offset=number * GIB, size_bytes=size)
        for number, size in enumerate(sizes)
    ]


def blocks_of(files: list[FilledFile], ranges: tuple[FileRange, ...]) -> list[int]:
    """The numbers of the blocks that a sample reads, in its order."""
    starts = [0]
    for file in files:
        starts.append(starts[-1] + -(-file.size_bytes // BLOCK_BYTES))
    found: list[int] = []
    for part in ranges:
        assert part.offset % BLOCK_BYTES == 0
        assert 0 < part.size_bytes <= files[part.file].size_bytes - part.offset
        first = starts[part.file] + part.offset // BLOCK_BYTES
        found += range(first, first + -(-part.size_bytes // BLOCK_BYTES))
    return found


def planned(files: list[FilledFile], seed: bytes) -> SamplePlan:
    plan = sample_plan(files, seed)
    assert plan is not None
    return plan


media = some.lists(
    some.integers(SMALLEST_SAMPLED_BLOCKS * BLOCK_BYTES // 3, GIB), min_size=3, max_size=12
)


@settings(max_examples=25, deadline=None)
@given(sizes=media, seed=some.binary(min_size=16, max_size=16))
def test_the_rule_holds(sizes: list[int], seed: bytes) -> None:
    files = medium(*sizes)
    plan = planned(files, seed)
    read = blocks_of(files, plan.ranges)
    total = sum(-(-size // BLOCK_BYTES) for size in sizes)
    assert read == sorted(set(read)), "a block is read twice or out of order"
    assert read[0] == 0
    assert read[-1] == total - 1
    assert plan.subsections >= 1000
    assert plan.places >= 2 * plan.subsections + 2
    assert sum(part.size_bytes for part in plan.ranges) >= 0.1 * sum(sizes)
    taken = set(read)
    for number in range(MINIMUM_SUBSECTIONS):
        first, end = (
            number * total // MINIMUM_SUBSECTIONS,
            (number + 1) * total // MINIMUM_SUBSECTIONS,
        )
        inside = sum(block in taken for block in range(first, end))
        assert inside >= 0.1 * (end - first), "two places of 5 % each that don't overlap"


def test_each_run_looks_elsewhere() -> None:
    files = medium(GIB, GIB, 5000)
    first, second = planned(files, b"one"), planned(files, b"another")
    assert first.ranges != second.ranges
    assert planned(files, b"one") == first
    both = set(blocks_of(files, first.ranges)) & set(blocks_of(files, second.ranges))
    assert len(both) < 0.2 * len(blocks_of(files, first.ranges))


def test_every_block_can_be_drawn() -> None:
    files = medium(SMALLEST_SAMPLED_BLOCKS * BLOCK_BYTES)
    seen: set[int] = set()
    for number in range(200):
        seen |= set(blocks_of(files, planned(files, bytes([number])).ranges))
    assert len(seen) == SMALLEST_SAMPLED_BLOCKS


@pytest.mark.parametrize("size", [1, BLOCK_BYTES, (SMALLEST_SAMPLED_BLOCKS - 1) * BLOCK_BYTES])
def test_a_medium_too_small_for_a_sample_is_read_whole(size: int) -> None:
    assert sample_plan(medium(size), b"seed") is None
    assert sample_plan([], b"seed") is None


@given(
    sizes=some.lists(some.integers(1, 60 * BLOCK_BYTES), min_size=1, max_size=5),
    count=some.integers(0, 100),
    seed=some.binary(max_size=16),
)
def test_the_hosts_own_places(sizes: list[int], count: int, seed: bytes) -> None:
    files = medium(*sizes)
    places = blocks_of(files, tuple(host_places(files, count, seed)))
    total = sum(-(-size // BLOCK_BYTES) for size in sizes)
    assert places == sorted(set(places))
    assert {0, total - 1} <= set(places)
    assert min(count, total) <= len(places) <= count + 2


def test_no_files_have_no_places() -> None:
    assert host_places([], 8, b"seed") == []


def test_places_that_touch_are_read_as_one() -> None:
    """On so small a medium many do: each read more is a way to the handset and back."""
    ranges = planned(medium(SMALLEST_SAMPLED_BLOCKS * BLOCK_BYTES), b"seed").ranges
    assert all(one.offset + one.size_bytes < next_.offset for one, next_ in pairwise(ranges))
