"""What the fill program says, checked: a handset's numbers are claims, and must at least add up."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from benchd.devices.android.fill.keystream import CIPHERS
from benchd.devices.android.shell.text import printable
from benchd.domain.errors import AnswerNotRecognised
from benchd.domain.fill import (
    MOST_FILES,
    BadRun,
    CheckOrder,
    CheckReport,
    DropReport,
    FilledFile,
    FillOrder,
    FillReport,
    TransferProgress,
)
from benchd.domain.ids import JsonValue

FILES_SHARED: Final = 4 * MOST_FILES
"""Handsets of one model make the same files: each is kept once for all of them, not per job."""
MODES: Final = ("o_direct", "buffered")
PAST_CACHE: Final = ("o_direct", "evicted")
MOST_SMALL_FILES: Final = 1_000_000
LONGEST_BAD_LIST: Final = 64
LARGEST_NUMBER: Final = (1 << 63) - 1

TRIMS: Final = ("done", "not_allowed", "not_supported", "failed", "not_asked")

PROGRAM_VERSION: Final = "3"
"""The only version of the program that is understood: benchd brings it along."""
LOGS: Final = ("one", "by_name", "by_name_and_lifetime")

_NAME: Final = re.compile(r"(?:fill|tail)-([0-9]{6})\.(?:dat|db|jpg|short|long)")

Fields = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What the program found when it began."""

    version: str
    cipher: str
    mode: str
    capacity_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramError:
    """Why the program gave up."""

    code: str
    message: str


def fill_name(index: int, *, tail: bool = False, end: str = ".dat") -> str:
    """The name of the fill file with this number, or of one that takes the last room."""
    return f"{'tail' if tail else 'fill'}-{index:06d}{end}"


def fill_index(name: str) -> int | None:
    """The number in the name of a fill file; None where it isn't one."""
    found = _NAME.fullmatch(name)
    return None if found is None else int(found[1])


def is_fill_name(name: str) -> bool:
    """Whether this is the name of a fill file, and so safe as part of a path."""
    return _NAME.fullmatch(name) is not None


def read_line(line: bytes) -> Fields:
    """One event as an object; each key once, and nothing that JSON doesn't know."""
    try:
        event: JsonValue = json.loads(
            line, object_pairs_hook=_each_key_once, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as garbled:
        raise AnswerNotRecognised("the fill program wrote a line that is no JSON") from garbled
    return _fields(event)


def event_name(fields: Fields) -> str:
    """Which event this is."""
    return text(fields, "event")


def read_started(fields: Fields) -> Started:
    """The start of a fill."""
    capacity = whole(fields, "capacity_bytes")
    started = Started(
        version=one_of(fields, "version", (PROGRAM_VERSION,)),
        cipher=one_of(fields, "cipher", CIPHERS),
        mode=one_of(fields, "mode", MODES),
        capacity_bytes=capacity,
        free_bytes=whole(fields, "free_bytes", at_most=capacity),
    )
    if capacity == 0:
        raise AnswerNotRecognised("the fill program found a storage of no bytes")
    return started


def read_progress(fields: Fields, at_most: int) -> TransferProgress:
    """Bytes done so far."""
    return TransferProgress(
        bytes_done=whole(fields, "bytes", at_most=at_most), elapsed_s=seconds(fields)
    )


def read_error(fields: Fields) -> ProgramError:
    """Why the program gave up."""
    return ProgramError(code=text(fields, "code"), message=printable(text(fields, "message")))


def read_fill_done(fields: Fields, started: Started, order: FillOrder) -> FillReport:
    """The report of a whole fill: each file has its own stretch, and the sizes add up."""
    written = whole(fields, "bytes", at_most=started.capacity_bytes)
    listed = objects(fields, "files")
    if len(listed) > MOST_FILES:
        raise AnswerNotRecognised(f"the fill has made {len(listed)} files")
    files = tuple(_filled_file(item, order.file_bytes) for item in listed)
    if any(one.stream_offset >= next_one.stream_offset for one, next_one in pairwise(files)):
        raise AnswerNotRecognised("the fill files aren't in order, or one is listed twice")
    if sum(file.size_bytes for file in files) != written:
        raise AnswerNotRecognised("the sizes of the fill files don't add up to the bytes written")
    capacity = whole(fields, "capacity_bytes")
    free_before = whole(fields, "free_bytes_before", at_most=capacity)
    if capacity != started.capacity_bytes or free_before != started.free_bytes:
        raise AnswerNotRecognised("the storage is another one at the end of the fill")
    return FillReport(
        program_version=started.version,
        cipher=started.cipher,
        mode=started.mode,
        bytes_written=written,
        resumed_bytes=whole(fields, "resumed_bytes", at_most=written),
        prior_bytes_proven=whole(fields, "prior_bytes_proven", at_most=order.prior_bytes),
        files=files,
        small_files=whole(fields, "small_files", at_most=MOST_SMALL_FILES),
        small_bytes=whole(fields, "small_bytes", at_most=capacity),
        directories=whole(fields, "directories", at_most=MOST_SMALL_FILES),
        logs=one_of(fields, "logs", LOGS),
        full_s=seconds(fields, "full_s"),
        capacity_bytes=capacity,
        free_bytes_before=free_before,
        free_bytes_after=whole(fields, "free_bytes_after", at_most=capacity),
        used_bytes_before=whole(fields, "used_bytes_before", at_most=capacity),
        reserved_bytes=whole(fields, "reserved_bytes", at_most=capacity),
        elapsed_s=seconds(fields),
    )


def read_check_done(fields: Fields, order: CheckOrder) -> CheckReport:
    """The report of a check: each byte ordered is either proven or bad."""
    files, ordered = order.files, order.ordered_bytes
    if whole(fields, "bytes_ordered") != ordered:
        raise AnswerNotRecognised("the check has read something else than was ordered")
    proven = whole(fields, "bytes_proven", at_most=ordered)
    bad = whole(fields, "bytes_bad")
    runs = tuple(_bad_run(item, files) for item in objects(fields, "bad"))
    listed = sum(run.size_bytes for run in runs)
    # A file that has grown counts more bad bytes than were ordered.
    if proven + bad < ordered or (bad == 0 and proven != ordered):
        raise AnswerNotRecognised("the check accounts for fewer bytes than were to be read")
    shown = whole(fields, "bytes_shown", at_most=ordered)
    if shown < proven:
        raise AnswerNotRecognised("the check has proven what it wasn't shown past the cache")
    if len(runs) > LONGEST_BAD_LIST or listed > bad:
        raise AnswerNotRecognised("the check lists more bad bytes than it counts")
    if len(runs) < LONGEST_BAD_LIST and listed != bad:
        raise AnswerNotRecognised("the check counts bad bytes that it doesn't list")
    return CheckReport(
        bytes_proven=proven,
        bytes_shown=shown,
        bytes_bad=bad,
        bad_runs=runs,
        small_same=whole(fields, "small_same", at_most=order.small_files),
        past_cache=one_of(fields, "past_cache", PAST_CACHE),
        elapsed_s=seconds(fields),
    )


def read_drop_done(fields: Fields) -> DropReport:
    """What is left after the fill files are deleted."""
    return DropReport(
        files_removed=whole(fields, "files_removed"),
        free_bytes=whole(fields, "free_bytes"),
        trim=one_of(fields, "trim", TRIMS),
        trimmed_bytes=whole(fields, "trimmed_bytes"),
    )


def _filled_file(fields: Fields, file_bytes: int) -> FilledFile:
    name, stream_offset = text(fields, "name"), whole(fields, "stream_offset")
    size_bytes = whole(fields, "bytes", at_least=1, at_most=file_bytes)
    index = fill_index(name)
    if index is None or stream_offset != index * file_bytes:
        raise AnswerNotRecognised("a fill file has another name or place than it must have")
    return _kept_once(name, stream_offset, size_bytes)


@lru_cache(FILES_SHARED)
def _kept_once(name: str, stream_offset: int, size_bytes: int) -> FilledFile:
    return FilledFile(name=name, stream_offset=stream_offset, size_bytes=size_bytes)


def _bad_run(fields: Fields, files: Sequence[FilledFile]) -> BadRun:
    run = BadRun(
        name=text(fields, "name"),
        offset=whole(fields, "offset"),
        size_bytes=whole(fields, "bytes", at_least=1),
    )
    if all(run.name != file.name for file in files):
        raise AnswerNotRecognised("the check found bad bytes in a file that it wasn't to read")
    return run


def text(fields: Fields, key: str) -> str:
    """A text, exactly as it came."""
    value = fields.get(key)
    if not isinstance(value, str):
        raise _wrong(key)
    return value


def one_of(fields: Fields, key: str, allowed: tuple[str, ...]) -> str:
    """A text out of a closed list."""
    value = text(fields, key)
    if value not in allowed:
        raise _wrong(key)
    return value


def whole(fields: Fields, key: str, *, at_least: int = 0, at_most: int = LARGEST_NUMBER) -> int:
    """A whole number within its bounds."""
    value = fields.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not at_least <= value <= at_most:
        raise _wrong(key)
    return value


def seconds(fields: Fields, key: str = "elapsed_s") -> float:
    """A length of time, by default the one that the program has taken so far."""
    value = fields.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _wrong(key)
    if not math.isfinite(value) or not 0 <= value < 1e9:
        raise _wrong(key)
    return float(value)


def objects(fields: Fields, key: str) -> list[Fields]:
    """A list of objects."""
    value = fields.get(key)
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise _wrong(key)
    return [_fields(item) for item in value]


def _fields(value: JsonValue) -> Fields:
    if not isinstance(value, Mapping):
        raise AnswerNotRecognised("the fill program wrote something else than an object")
    return value


def _each_key_once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _wrong(key: str) -> AnswerNotRecognised:
    return AnswerNotRecognised(f"the fill program's {key} is missing or impossible")
