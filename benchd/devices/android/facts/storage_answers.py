"""Answers of `df -k /data` and of the mount table, and whether `stat -f` says the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from benchd.devices.android.facts.statfs import read_statfs
from benchd.devices.android.shell.text import lines_of
from benchd.domain.errors import AnswerNotRecognised, StorageContradicts
from benchd.domain.handset import StorageFacts
from benchd.proof.capacity import two_sizes

_HEADING: Final = ("Filesystem", "1K-blocks", "Used", "Available", "Use%", "Mounted", "on")
_ROW: Final = re.compile(
    r"(\S+) +([0-9]{1,15}) +([0-9]{1,15}) +([0-9]{1,15}) +(?:([0-9]{1,3})%|-) +(/.*)"
)
_TYPE: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
_DATA: Final = "/data"
_ROUNDING_PERCENT: Final = 2
_BY_NAME: Final = re.compile(r"/dev/block/(?:[A-Za-z0-9._-]+/)*by-name/(?:userdata|data)")
_NODE: Final = re.compile(r"/dev/block/[a-z0-9-]{1,32}")
"""What toybox makes of a link: df.c, `show_mt`, takes the real path where the shell may read it."""
_OF_DATA: Final = re.compile(r"/data(?:/user/[0-9]{1,9})?|/storage/emulated(?:/.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """What the mount table says of a place."""

    device: str
    file_system: str
    read_only: bool


def read_storage(usage: str, mounts: Mapping[str, Mount]) -> StorageFacts:
    """Size and use of the file system that holds /data.

    The device decides. toybox names the *last* mount of it: where vold bind-mounts the apps' own
    folders (most handsets launched with Android 11 or later) that is `/data/user/0` or
    `/storage/emulated/0/Android/obb`. It also resolves links, as the mount table doesn't.
    """
    lines = [line.rstrip() for line in lines_of(usage) if line.strip()]
    if len(lines) != 2 or tuple(lines[0].split()) != _HEADING:
        raise AnswerNotRecognised("df -k /data: not one line under its heading")
    row = _ROW.fullmatch(lines[1])
    if row is None:
        raise AnswerNotRecognised("df -k /data: numbers are missing")
    if row[1] != mounts[_DATA].device and not _is_resolved(row[1], row[6], mounts):
        raise AnswerNotRecognised("df -k /data: another device than that of /data")
    size, used, free = (int(row[number]) for number in (2, 3, 4))
    if size == 0 or used + free > size or not _is_share(row[5], used, used + free):
        raise AnswerNotRecognised("df -k /data: the numbers contradict each other")
    return StorageFacts(
        capacity_bytes=1024 * size,
        used_bytes=1024 * used,
        free_bytes=1024 * free,
        file_system=mounts[_DATA].file_system,
    )


def _is_resolved(device: str, place: str, mounts: Mapping[str, Mount]) -> bool:
    """Whether this may be the node that the mount table names by a link to it.

    `df` was asked for /data and finds it by its device number: a node that holds another mount, or
    a place where nothing of /data is ever mounted, is refused.
    """
    linked = _BY_NAME.fullmatch(mounts[_DATA].device) and _NODE.fullmatch(device)
    elsewhere = any(mount.device == device for mount in mounts.values())
    return bool(linked and _OF_DATA.fullmatch(place)) and not elsewhere


def beside_statfs(storage: StorageFacts, text: str) -> StorageFacts:
    """The same with what `stat -f` tells of it.

    Raises StorageContradicts where it tells of another size or of other room.
    """
    second = read_statfs(text)
    both = replace(
        storage,
        statfs_capacity_bytes=second.capacity_bytes,
        statfs_free_bytes=second.free_bytes,
    )
    differs = two_sizes(
        capacity_bytes=both.capacity_bytes,
        free_bytes=both.free_bytes,
        statfs_capacity_bytes=second.capacity_bytes,
        statfs_free_bytes=second.free_bytes,
    )
    if differs:
        raise StorageContradicts(f"df and stat -f disagree about /data: {differs}")
    return both


def _is_share(percent: str | None, used: int, of: int) -> bool:
    """Whether the share in use is that of the two numbers, however each was rounded."""
    return percent is None or abs(int(percent) * of - 100 * used) <= _ROUNDING_PERCENT * of


def read_mounts(text: str) -> Mapping[str, Mount]:
    """The mount table by place, the last mount there counts; /data is among them for certain."""
    found: dict[str, Mount] = {}
    for line in lines_of(text):
        fields = line.split(" ")
        if len(fields) != 6:
            raise AnswerNotRecognised("/proc/mounts: a line that is no mount")
        found[fields[1]] = Mount(
            device=fields[0], file_system=fields[2], read_only="ro" in fields[3].split(",")
        )
    if _DATA not in found or not _TYPE.fullmatch(found[_DATA].file_system):
        raise AnswerNotRecognised("/proc/mounts: nothing on /data")
    return found
