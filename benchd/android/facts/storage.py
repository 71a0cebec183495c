"""Answers of `df -k /data` and of the mount table."""

from __future__ import annotations

import re
from typing import Final

from benchd.android.shell.text import lines_of
from benchd.errors import AnswerNotRecognised
from benchd.words.handset import StorageFacts

_HEADING: Final = ("Filesystem", "1K-blocks", "Used", "Available", "Use%", "Mounted", "on")
_ROW: Final = re.compile(
    r"\S+ +([0-9]{1,15}) +([0-9]{1,15}) +([0-9]{1,15}) +(?:[0-9]{1,3}%|-) +(/\S*) *"
)
_TYPE: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
_DATA: Final = "/data"


def read_storage(usage: str, mounts: str) -> StorageFacts:
    """Size and use of the file system that holds /data."""
    lines = [line for line in lines_of(usage) if line.strip()]
    if len(lines) != 2 or tuple(lines[0].split()) != _HEADING:
        raise AnswerNotRecognised("df -k /data: not one line under its heading")
    row = _ROW.fullmatch(lines[1])
    if row is None:
        raise AnswerNotRecognised("df -k /data: numbers are missing")
    size, used, free = (int(row[number]) for number in (1, 2, 3))
    # From Android 11 on toybox names the last mount of the file system, /data/user/0.
    if row[4] != _DATA and not row[4].startswith(_DATA + "/"):
        raise AnswerNotRecognised("df -k /data: another file system")
    if size == 0 or used + free > size:
        raise AnswerNotRecognised("df -k /data: the numbers contradict each other")
    return StorageFacts(
        capacity_bytes=1024 * size,
        used_bytes=1024 * used,
        free_bytes=1024 * free,
        file_system=read_file_system(mounts),
    )


def read_file_system(mounts: str) -> str:
    """The type of the file system on /data, by the last mount there."""
    found: str | None = None
    for line in lines_of(mounts):
        fields = line.split(" ")
        if len(fields) != 6:
            raise AnswerNotRecognised("/proc/mounts: a line that is no mount")
        if fields[1] == _DATA:
            found = fields[2]
    if found is None or not _TYPE.fullmatch(found):
        raise AnswerNotRecognised("/proc/mounts: nothing on /data")
    return found
