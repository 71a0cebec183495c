"""What the overwrite is asked for, and what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

KEY_BYTES = 16
BLOCK_BYTES = 4096
"""What storage is written, read past its cache and compared in."""
FILE_STEP_BYTES = 1 << 20
NOTHING_OF_THIS_JOB = "the handset that came back holds nothing of what this job had written"
"""Why it's another one, whoever finds it out."""
REMAINS_OF_LOOK = "what was put on it for the look couldn't be removed"
ENDED_BY_QUOTA = "a quota of the handset's system ended the fill before its storage was full"
"""What lies behind the quota was never written, whoever finds it out."""
TAIL_PREFIX = "tail-"
"""How the names of the fill files begin that take the last room."""

MOST_FILES = 1000
"""How many files a fill may make: each is a line of its evidence, and a record has an end."""
MOST_BODY_FILES = 800
"""So many may be whole; the others are ends of runs, f2fs' logs and what takes the last room."""


def least_file_bytes(capacity_bytes: int) -> int:
    """How large the files have to be that a storage of this size isn't too many of them."""
    return math.ceil(capacity_bytes / MOST_BODY_FILES / FILE_STEP_BYTES) * FILE_STEP_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class FillOrder:
    """What the fill program is asked to write: a keystream that only this job has."""

    key: bytes = field(repr=False)
    """16 bytes, fresh for every job."""
    file_bytes: int
    """Size of one full file; file i carries the keystream from i * file_bytes on."""
    stall_s: float
    """Silence on the line for this long is a stalled handset."""
    headroom_bytes: int = 0
    """What stays free until the last seconds, so that Android is full for no longer."""
    resume: bool = False
    """Whether files of an earlier fill with this key may prove themselves and stay."""
    prior_bytes: int = 0
    """As many were confirmed before the handset was first away: a block of them has to prove
    itself before anything is written, or it's another handset. 0 where it never was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOrder:
    """What the fill program is asked to read back."""

    fill: FillOrder
    cipher: str
    """The one that the fill chose."""
    files: tuple[FilledFile, ...]
    ranges: tuple[FileRange, ...] | None = None
    """The parts to read, in the order of the files; None for all of every file."""
    small_files: int = 0
    """How many small files are to be compared; they never count as proven."""

    @property
    def ordered_bytes(self) -> int:
        """How many bytes are to be read."""
        parts = self.files if self.ranges is None else self.ranges
        return sum(part.size_bytes for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledFile:
    """One file that the fill program made."""

    name: str
    stream_offset: int
    size_bytes: int

    @property
    def is_tail(self) -> bool:
        """Whether it takes the last room, and so is proven first and deleted at once."""
        return self.name.startswith(TAIL_PREFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRange:
    """A part of one of several fill files, on whole blocks."""

    file: int
    """The file's place in the list."""
    offset: int
    size_bytes: int


class StayOn(StrEnum):
    """Whether a handset's screen stays on while it is plugged in."""

    SET = "set"
    WAS_SET = "was_set"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwakeReport:
    """What was done so that a handset doesn't sleep at its work; nothing rests on it."""

    stay_on: StayOn
    screen_woken: bool
    """Whether it took the key that wakes its screen."""
    restored: bool | None
    """Whether the setting is as before again; None where it wasn't changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillReport:
    """What the fill program says it wrote and synced; a claim until it is read back."""

    program_version: str
    cipher: str
    mode: str
    bytes_written: int
    """All that the files hold."""
    resumed_bytes: int
    """Those of them that an earlier fill of this job wrote and this one has read and proven."""
    prior_bytes_proven: int
    """Those of the order's prior bytes that proved themselves first; it needn't try all."""
    files: tuple[FilledFile, ...]
    small_files: int
    small_bytes: int
    """In files so small that they may lie beside their inodes: compared, never counted."""
    directories: int
    logs: str
    """How the logs of a file system that keeps hot and cold data apart were reached: it has but
    `one`, or they were chosen `by_name`, or `by_name_and_lifetime`, which no kernel ignores."""
    full_s: float
    """For how long less than the headroom had been free when the fill ended."""
    capacity_bytes: int
    free_bytes_before: int
    free_bytes_after: int
    used_bytes_before: int
    reserved_bytes: int
    """What the file system keeps for the system."""
    elapsed_s: float
    awake: AwakeReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRun:
    """Bytes of one file that aren't what was written."""

    name: str
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What reading everything back, past the handset's cache, has shown."""

    bytes_proven: int
    bytes_shown: int
    """What was read right after it was shown that no cache can answer; proof rests on it."""
    bytes_bad: int
    bad_runs: tuple[BadRun, ...]
    small_same: int
    """How many small files are as they must be."""
    past_cache: str
    elapsed_s: float
    awake: AwakeReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropReport:
    """What is left after the fill files are deleted."""

    files_removed: int
    free_bytes: int
    trim: str
    """Whether the flash was told: `done`, `not_allowed`, `not_supported`, `failed`, `not_asked`."""
    trimmed_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSample:
    """Bytes that the host itself has fetched, and how they came past the handset's cache."""

    data: bytes
    past_cache: str
    """`eviction_seen`: another program than the one that fills saw none of it in the cache before
    the read and all of it after; or `o_direct`, where no program runs and the handset's kernel
    counted what was fetched from the medium."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferProgress:
    """Bytes done so far by a fill or a check, as the handset counted them after its sync."""

    bytes_done: int
    elapsed_s: float
