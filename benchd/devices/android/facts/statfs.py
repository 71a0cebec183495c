"""Answers of `stat -f` about /data: statfs(2) as another program than `df` tells it.

Source: toybox' stat.c, as android.googlesource.com has it for Android 8 and later. `%b`, `%f` and
`%a` are blocks: all, free, and free for others than root. `%s` and `%S` are the sizes of a fragment
and of the best transfer; which is which has changed between its versions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from benchd.devices.android.shell.text import lines_of
from benchd.domain.errors import AnswerNotRecognised

ASK_STATFS: Final = 'stat -f -c "%s %S %b %f %a" /data'
"""A shell command; it ends with another status than 0 where `stat` or its `-f` isn't there."""
_ROW: Final = re.compile(r"([0-9]{1,7}) ([0-9]{1,7}) ([0-9]{1,15}) ([0-9]{1,15}) ([0-9]{1,15})")
_MOST_BYTES: Final = 1 << 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Statfs:
    """The size of a file system, and what others than root may still write, in bytes."""

    capacity_bytes: int
    free_bytes: int
    block_bytes: int


def read_statfs(text: str) -> Statfs:
    """What it tells; AnswerNotRecognised for anything but five numbers that fit each other."""
    lines = [line for line in lines_of(text) if line]
    row = _ROW.fullmatch(lines[0]) if len(lines) == 1 else None
    if row is None:
        raise AnswerNotRecognised("stat -f /data: not five numbers")
    one, other, blocks, free, available = map(int, row.groups())
    # statvfs(3): blocks are counted in fragments, and no fragment is larger than a transfer.
    block_bytes = min(one, other) or max(one, other)
    capacity_bytes = blocks * block_bytes
    if not 0 < capacity_bytes <= _MOST_BYTES or not available <= free <= blocks:
        raise AnswerNotRecognised("stat -f /data: the numbers contradict each other")
    return Statfs(
        capacity_bytes=capacity_bytes,
        free_bytes=available * block_bytes,
        block_bytes=block_bytes,
    )
