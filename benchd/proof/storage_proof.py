"""What is still missing before a job's records prove that its storage is overwritten.

As `proof.chip` does for the chip, this reads stored evidence and nothing else.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from benchd.proof.evidence.handset_evidence import InitialiseEvidence, InspectEvidence
from benchd.proof.evidence.storage_evidence import OverwriteEvidence, ReadBackEvidence
from benchd.proof.floors import (
    CAPACITY_TOLERANCE,
    LEAST_FREE_AFTER_FILL_BYTES,
    LEAST_FREED,
    LOWEST_MINIMUM_COVERAGE,
    MINIMUM_HOST_SAMPLES,
    MINIMUM_SAMPLE,
    MINIMUM_SEED_DIGITS,
    MINIMUM_SUBSECTIONS,
    MOST_FREE_AFTER_FILL,
    MOST_FREE_AFTER_FILL_BYTES,
    MOST_TAKEN_BY_FILL,
    PLACES_IN_SUBSECTION,
)

PAST_CACHE: Final = ("o_direct", "evicted")
"""How the fill program may have read, from the strongest to the weakest."""
EVICTION_SEEN: Final = "eviction_seen"
"""Another program than the one that fills saw a block leave the cache, and come back when read."""
EVICTED_BY_PROGRAM: Final = "evicted_by_program"
"""The fill program itself said that it had emptied the cache, which proves nothing."""
HOST_PAST_CACHE: Final = ("o_direct", EVICTION_SEEN, "evicted", EVICTED_BY_PROGRAM)
"""The same for the host's own samples."""
STREAMED: Final = "streamed"
"""The mode of a fill that the host has made over the cable, where no program runs."""
FILL_MODES: Final = ("o_direct", "buffered", STREAMED)
NO_PROGRAM: Final = "none"
F2FS: Final = "f2fs"
ONE_LOG: Final = "one"
STREAMED_CIPHER: Final = "aes-128-ctr"
ENCRYPTED: Final = "encrypted"
"""The only `ro.crypto.state` under which a reset alone leaves nothing that can be read."""


class CheckMode(StrEnum):
    """How much of what was written a read-back has read."""

    WHOLE = "whole"
    SAMPLED = "sampled"


def storage_gaps(
    inspect: InspectEvidence,
    overwrite: OverwriteEvidence,
    read_back: ReadBackEvidence,
) -> list[str]:
    """Every gap; empty where the records prove the overwrite of what the floors ask for."""
    return [
        *_of_files(overwrite),
        *_of_extent(overwrite, read_back),
        *_of_capacity(inspect, overwrite),
        *_of_deletion(overwrite, read_back),
        *_of_coverage(inspect, overwrite, read_back),
        *_of_small_files(overwrite, read_back),
        *_of_host_samples(read_back),
        *_of_mode(overwrite, read_back),
        *_of_plain_text(inspect, overwrite),
    ]


def _of_files(overwrite: OverwriteEvidence) -> list[str]:
    sizes = sum(file.size_bytes for file in overwrite.files)
    gaps: list[str] = []
    if not overwrite.bytes_written == sizes > 0:
        gaps.append("overwrite: the files don't add up to what was written")
    if any(file.size_bytes < 0 or file.stream_offset < 0 for file in overwrite.files):
        gaps.append("overwrite: a file has a size or a place below zero")
    offsets = [file.stream_offset for file in overwrite.files]
    if len(set(offsets)) != len(offsets):
        gaps.append("overwrite: two files hold the same stretch of the keystream")
    if overwrite.resumed_bytes > sizes:
        gaps.append("overwrite: more was found than there is")
    return gaps


def _of_extent(overwrite: OverwriteEvidence, read_back: ReadBackEvidence) -> list[str]:
    """Whether as much was read as it says, past the cache, and all of it was right."""
    written = overwrite.bytes_written
    gaps: list[str] = []
    if read_back.bytes_bad != 0:
        gaps.append("read_back: some bytes aren't what was written")
    match read_back.check_mode:
        case CheckMode.WHOLE:
            if read_back.bytes_proven != written:
                gaps.append("read_back: not every byte that was written is proven")
        case CheckMode.SAMPLED:
            gaps += _of_sample(read_back, written)
        case _:
            gaps.append("read_back: it doesn't say how much was read")
    if read_back.past_cache not in PAST_CACHE:
        gaps.append("read_back: it wasn't read past the handset's cache")
    return gaps


def _of_sample(read_back: ReadBackEvidence, written: int) -> list[str]:
    """What a sample lacks to stand for all that was written."""
    subsections = read_back.sample_subsections
    tail, body = read_back.tail_bytes_proven, read_back.sampled_from_bytes
    sampled = read_back.bytes_proven - tail
    gaps: list[str] = []
    if subsections < MINIMUM_SUBSECTIONS:
        gaps.append("read_back: the sample has too few subsections")
    if read_back.sample_places < PLACES_IN_SUBSECTION * subsections + 2:
        gaps.append("read_back: the sample has too few places")
    if body <= 0 or tail + body != written:
        gaps.append("read_back: the sample isn't drawn from all that was written")
    elif not MINIMUM_SAMPLE <= sampled / body <= 1:
        gaps.append("read_back: the sample is too small")
    if len(read_back.seed) < MINIMUM_SEED_DIGITS:
        gaps.append("read_back: the sample's seed isn't on record")
    return gaps


def _of_coverage(
    inspect: InspectEvidence,
    overwrite: OverwriteEvidence,
    read_back: ReadBackEvidence,
) -> list[str]:
    """Whether enough of the capacity is vouched for; a sample vouches for all it's drawn from."""
    sampled = read_back.check_mode == CheckMode.SAMPLED
    vouched = overwrite.bytes_written if sampled else read_back.bytes_proven
    inspected, capacity = inspect.capacity_bytes, read_back.capacity_bytes
    gaps: list[str] = []
    if capacity < inspected:
        gaps.append("read_back: the storage is smaller than at inspection")
    if min(capacity, inspected) <= 0 or vouched > min(capacity, inspected):
        gaps.append("read_back: the capacity makes no sense")
    elif vouched / capacity < read_back.minimum_coverage:
        gaps.append("read_back: too little of the capacity is proven")
    if read_back.minimum_coverage < LOWEST_MINIMUM_COVERAGE:
        gaps.append("read_back: the recipe asks for too little coverage")
    return gaps


def _of_capacity(inspect: InspectEvidence, overwrite: OverwriteEvidence) -> list[str]:
    """Whether `df` and whoever has written tell of one storage: the system answers only the one."""
    if capacities_agree(inspect.capacity_bytes, overwrite.capacity_bytes):
        return []
    return ["overwrite: it found another capacity than the inspection was told of"]


def capacities_agree(reported_bytes: int, found_bytes: int) -> bool:
    """Whether a capacity that was told may be the one that was found when it was written to."""
    return (1 - CAPACITY_TOLERANCE) * found_bytes <= reported_bytes <= found_bytes


def _of_deletion(overwrite: OverwriteEvidence, read_back: ReadBackEvidence) -> list[str]:
    """A deletion shows in the room that it gives back; how many files went is only a word."""
    free = read_back.free_bytes_after_drop
    if read_back.files_removed is None or free is None:
        return ["read_back: nothing says that what was written was deleted"]
    if not room_is_back(free, overwrite.bytes_written):
        return ["read_back: what is said to be deleted still takes its room"]
    return []


def room_is_back(free_bytes: int, bytes_written: int) -> bool:
    """Whether as much is free as a deletion of all that was written leaves."""
    return free_bytes >= LEAST_FREED * bytes_written


def _of_small_files(overwrite: OverwriteEvidence, read_back: ReadBackEvidence) -> list[str]:
    """They count nowhere, but one that differs is a storage that changes what it was given."""
    if read_back.small_files_same != overwrite.small_files:
        return ["read_back: some small files aren't as they were written"]
    return []


def _of_host_samples(read_back: ReadBackEvidence) -> list[str]:
    gaps: list[str] = []
    if read_back.host_past_cache not in HOST_PAST_CACHE:
        gaps.append("read_back: the host's own samples may come from the handset's cache")
    if read_back.host_samples < MINIMUM_HOST_SAMPLES:
        gaps.append("read_back: the host drew too few samples of its own")
    if read_back.host_mismatches != 0:
        gaps.append("read_back: the host's own samples differ")
    return gaps


def reach_gaps(
    inspect: InspectEvidence, overwrite: OverwriteEvidence, read_back: ReadBackEvidence
) -> list[str]:
    """Whether every log was reached, and each read shown to come from the medium."""
    return [*_of_shown_reads(overwrite, read_back), *_of_logs(inspect, overwrite)]


def _of_shown_reads(overwrite: OverwriteEvidence, read_back: ReadBackEvidence) -> list[str]:
    gaps: list[str] = []
    if read_back.bytes_shown is None or read_back.bytes_shown < read_back.bytes_proven:
        gaps.append("read_back: a cache may have answered for some of what was read")
    if overwrite.mode != STREAMED and read_back.host_past_cache != EVICTION_SEEN:
        gaps.append("read_back: the host's own samples don't follow an eviction that was seen")
    return gaps


def _of_logs(inspect: InspectEvidence, overwrite: OverwriteEvidence) -> list[str]:
    """On f2fs, which keeps hot and cold data apart, a fill of one log leaves the others as is."""
    if overwrite.logs is None or (inspect.file_system == F2FS and overwrite.logs == ONE_LOG):
        return ["overwrite: the file system's logs of hot and cold data weren't reached"]
    return []


def end_gaps(initialise: InitialiseEvidence, overwrite: OverwriteEvidence) -> list[str]:
    """Whether the fill ended because the storage was full.

    What is free is what others than root may still write: what the file system reserves is a
    figure of its own.
    """
    capacity, free = overwrite.capacity_bytes, overwrite.free_bytes_after
    gaps: list[str] = []
    if free > most_free_after_fill(capacity):
        gaps.append("overwrite: more than its last gaps was still free when it ended")
    if free > overwrite.free_bytes_before or overwrite.bytes_written + free > capacity:
        gaps.append("overwrite: what was free when it ended makes no sense")
    if taken_bytes(initialise, overwrite) > most_taken(capacity):
        gaps.append("overwrite: some of the storage was neither written, nor free, nor in use")
    return gaps


def taken_bytes(initialise: InitialiseEvidence, overwrite: OverwriteEvidence) -> int:
    """How much came into use since the reset beside what was written; below zero if less was."""
    known = overwrite.bytes_written + overwrite.free_bytes_after + overwrite.reserved_bytes
    return overwrite.capacity_bytes - known - initialise.left.used_bytes


def most_taken(capacity_bytes: int) -> int:
    """How much of such a storage that may be."""
    return int(MOST_TAKEN_BY_FILL * capacity_bytes)


def most_free_after_fill(capacity_bytes: int) -> int:
    """How many bytes of such a storage may still be free when a fill has ended."""
    share = max(LEAST_FREE_AFTER_FILL_BYTES, int(MOST_FREE_AFTER_FILL * capacity_bytes))
    return min(share, MOST_FREE_AFTER_FILL_BYTES)


def _of_mode(overwrite: OverwriteEvidence, read_back: ReadBackEvidence) -> list[str]:
    """Whether what the host has streamed itself was read past the cache by O_DIRECT alone.

    There is no program then, so the host's samples come by another path than a program's; they
    come by the same as its whole read-back, which is the host's own look already.
    """
    if overwrite.mode not in FILL_MODES:
        return ["overwrite: it doesn't say how it was written"]
    if (overwrite.mode == STREAMED) != (overwrite.program_version == NO_PROGRAM):
        return ["overwrite: it can't be told whether a program or the host has written"]
    if overwrite.mode != STREAMED:
        return []
    gaps: list[str] = []
    if overwrite.cipher != STREAMED_CIPHER:
        gaps.append("overwrite: the host streams no such cipher")
    if (overwrite.small_files, overwrite.directories) != (0, 0):
        gaps.append("overwrite: the host streams no small files")
    if {read_back.past_cache, read_back.host_past_cache} != {"o_direct"}:
        gaps.append("read_back: what was streamed wasn't read by O_DIRECT alone")
    return gaps


def _of_plain_text(inspect: InspectEvidence, overwrite: OverwriteEvidence) -> list[str]:
    """On a storage that isn't encrypted, what wasn't reached may be the owner's plain text."""
    left = plain_bytes_left(inspect.crypto_state, inspect.capacity_bytes, overwrite.bytes_written)
    if not left:
        return []
    return [f"inspect: the storage isn't encrypted, and {left} bytes of it weren't reached"]


def plain_bytes_left(crypto_state: str, capacity_bytes: int, bytes_written: int) -> int:
    """How many bytes may still be the owner's plain text, in bytes; none where it's encrypted."""
    return 0 if crypto_state == ENCRYPTED else max(0, capacity_bytes - bytes_written)
