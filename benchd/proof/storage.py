"""What is still missing before a job's records prove that its storage is overwritten.

As `chip_proof` does for the chip, this reads stored evidence and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from benchd.errors import CertificateGap
from benchd.proof.evidence import EvidenceReader
from benchd.proof.floors import (
    LOWEST_MINIMUM_COVERAGE,
    MINIMUM_HOST_SAMPLES,
    MINIMUM_SAMPLE,
    MINIMUM_SEED_DIGITS,
    MINIMUM_SUBSECTIONS,
    PLACES_IN_SUBSECTION,
)

PAST_CACHE: Final = ("o_direct", "evicted")
"""How the fill program may have read, from the strongest to the weakest."""
HOST_PAST_CACHE: Final = ("o_direct", "evicted", "evicted_by_program")
"""The same for the host's own samples."""
STREAMED: Final = "streamed"
"""The mode of a fill that the host has made over the cable, where no program runs."""
FILL_MODES: Final = ("o_direct", "buffered", STREAMED)
NO_PROGRAM: Final = "none"
STREAMED_CIPHER: Final = "aes-128-ctr"
ENCRYPTED: Final = "encrypted"
"""The only `ro.crypto.state` under which a reset alone leaves nothing that can be read."""


class CheckMode(StrEnum):
    """How much of what was written a read-back has read."""

    WHOLE = "whole"
    SAMPLED = "sampled"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageRecords:
    """What a job's records say of its storage."""

    inspect: EvidenceReader
    overwrite: EvidenceReader
    read_back: EvidenceReader


def storage_gaps(records: StorageRecords) -> list[str]:
    """Every gap; empty where the records prove the overwrite."""
    gaps: list[str] = []
    looks = (
        *(_of_files, _of_extent, _of_coverage, _of_small_files, _of_host_samples),
        *(_of_mode, _of_plain_text),
    )
    for look in looks:
        gaps += _gaps_found(look, records)
    return gaps


def _gaps_found(look: Callable[[StorageRecords], list[str]], records: StorageRecords) -> list[str]:
    try:
        return look(records)
    except CertificateGap as gap:
        return list(gap.missing)


def _of_files(records: StorageRecords) -> list[str]:
    evidence = records.overwrite
    files = [EvidenceReader(file, "overwrite") for file in evidence.items("files")]
    sizes = sum(file.whole("size_bytes") for file in files)
    gaps: list[str] = []
    if not evidence.whole("bytes_written") == sizes > 0:
        gaps.append("overwrite: the files don't add up to what was written")
    offsets = [file.whole("stream_offset") for file in files]
    if len(set(offsets)) != len(offsets):
        gaps.append("overwrite: two files hold the same stretch of the keystream")
    if evidence.whole("resumed_bytes") > sizes:
        gaps.append("overwrite: more was found than there is")
    return gaps


def _of_extent(records: StorageRecords) -> list[str]:
    """Whether as much was read as it says, past the cache, and all of it was right."""
    evidence = records.read_back
    written = records.overwrite.whole("bytes_written")
    gaps: list[str] = []
    if evidence.whole("bytes_bad") != 0:
        gaps.append("read_back: some bytes aren't what was written")
    match evidence.text("check_mode"):
        case CheckMode.WHOLE:
            if evidence.whole("bytes_proven") != written:
                gaps.append("read_back: not every byte that was written is proven")
        case CheckMode.SAMPLED:
            gaps += _of_sample(evidence, written)
        case _:
            gaps.append("read_back: it doesn't say how much was read")
    if evidence.text("past_cache") not in PAST_CACHE:
        gaps.append("read_back: it wasn't read past the handset's cache")
    return gaps


def _of_sample(evidence: EvidenceReader, written: int) -> list[str]:
    """What a sample lacks to stand for all that was written."""
    subsections = evidence.whole("sample_subsections")
    tail = evidence.whole("tail_bytes_proven")
    body = evidence.whole("sampled_from_bytes")
    sampled = evidence.whole("bytes_proven") - tail
    gaps: list[str] = []
    if subsections < MINIMUM_SUBSECTIONS:
        gaps.append("read_back: the sample has too few subsections")
    if evidence.whole("sample_places") < PLACES_IN_SUBSECTION * subsections + 2:
        gaps.append("read_back: the sample has too few places")
    if body <= 0 or tail + body != written:
        gaps.append("read_back: the sample isn't drawn from all that was written")
    elif not MINIMUM_SAMPLE <= sampled / body <= 1:
        gaps.append("read_back: the sample is too small")
    if len(evidence.text("seed")) < MINIMUM_SEED_DIGITS:
        gaps.append("read_back: the sample's seed isn't on record")
    return gaps


def _of_coverage(records: StorageRecords) -> list[str]:
    """Whether enough of the capacity is vouched for; a sample vouches for all it's drawn from."""
    evidence = records.read_back
    sampled = evidence.text("check_mode") == CheckMode.SAMPLED
    source = records.overwrite.whole("bytes_written") if sampled else None
    vouched = evidence.whole("bytes_proven") if source is None else source
    inspected = records.inspect.whole("capacity_bytes")
    capacity = evidence.whole("capacity_bytes")
    gaps: list[str] = []
    if capacity < inspected:
        gaps.append("read_back: the storage is smaller than at inspection")
    if min(capacity, inspected) <= 0 or vouched > min(capacity, inspected):
        gaps.append("read_back: the capacity makes no sense")
    elif vouched / capacity < evidence.number("minimum_coverage"):
        gaps.append("read_back: too little of the capacity is proven")
    if evidence.number("minimum_coverage") < LOWEST_MINIMUM_COVERAGE:
        gaps.append("read_back: the recipe asks for too little coverage")
    return gaps


def _of_small_files(records: StorageRecords) -> list[str]:
    """They count nowhere, but one that differs is a storage that changes what it was given."""
    if records.read_back.whole("small_files_same") != records.overwrite.whole("small_files"):
        return ["read_back: some small files aren't as they were written"]
    return []


def _of_host_samples(records: StorageRecords) -> list[str]:
    evidence = records.read_back
    gaps: list[str] = []
    if evidence.text("host_past_cache") not in HOST_PAST_CACHE:
        gaps.append("read_back: the host's own samples may come from the handset's cache")
    if evidence.whole("host_samples") < MINIMUM_HOST_SAMPLES:
        gaps.append("read_back: the host drew too few samples of its own")
    if evidence.whole("host_mismatches") != 0:
        gaps.append("read_back: the host's own samples differ")
    return gaps


def _of_mode(records: StorageRecords) -> list[str]:
    """Whether what the host has streamed itself was read past the cache by O_DIRECT alone.

    There is no program then, so the host's samples come by another path than a program's; they
    come by the same as its whole read-back, which is the host's own look already.
    """
    overwrite, read_back = records.overwrite, records.read_back
    mode = overwrite.text("mode")
    if mode not in FILL_MODES:
        return ["overwrite: it doesn't say how it was written"]
    if (mode == STREAMED) != (overwrite.text("program_version") == NO_PROGRAM):
        return ["overwrite: it can't be told whether a program or the host has written"]
    if mode != STREAMED:
        return []
    gaps: list[str] = []
    if overwrite.text("cipher") != STREAMED_CIPHER:
        gaps.append("overwrite: the host streams no such cipher")
    if (overwrite.whole("small_files"), overwrite.whole("directories")) != (0, 0):
        gaps.append("overwrite: the host streams no small files")
    if {read_back.text("past_cache"), read_back.text("host_past_cache")} != {"o_direct"}:
        gaps.append("read_back: what was streamed wasn't read by O_DIRECT alone")
    return gaps


def _of_plain_text(records: StorageRecords) -> list[str]:
    """On a storage that isn't encrypted, what wasn't reached may be the owner's plain text."""
    left = plain_bytes_left(
        records.inspect.text("crypto_state"),
        records.inspect.whole("capacity_bytes"),
        records.overwrite.whole("bytes_written"),
    )
    if not left:
        return []
    return [f"inspect: the storage isn't encrypted, and {left} bytes of it weren't reached"]


def plain_bytes_left(crypto_state: str, capacity_bytes: int, bytes_written: int) -> int:
    """How many bytes may still be the owner's plain text, in bytes; none where it's encrypted."""
    return 0 if crypto_state == ENCRYPTED else max(0, capacity_bytes - bytes_written)
