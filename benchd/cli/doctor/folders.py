"""The folders that benchd keeps its things in: whose, how open, how full, on what."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from benchd.cli.doctor.findings import About, Finding
from benchd.daemon.disk_space import LEAST_BYTES, LEAST_FILES, is_read_only

MOUNTS: Final = Path("/proc/self/mountinfo")
LITTLE_BYTES: Final = 2 << 30
"""Some months of a busy rack."""
_OPEN: Final = stat.S_IWGRP | stat.S_IRWXO
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_ELSEWHERE: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "fuse.sshfs"})
_LAYERED: Final = frozenset({"overlay", "aufs"})
"""The upper layer of a machine that runs from a live image lies in memory."""
_NO_BARRIER: Final = frozenset({"nobarrier", "barrier=0"})
"""Options by which a file system keeps flushes to itself: ext4(5), and xfs of older kernels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose the folders have to be."""

    name: str
    uid: int


def folder(check: str, path: Path, owner: Owner, *, files: str | None = None) -> Finding:
    """Whose a folder is, whose each file in it by benchd's names for them, and who else gets in.

    `files` is the pattern of these names (fnmatch); None looks at no file.
    """
    about = About(check).having(path=path, name=owner.name)
    try:
        found = path.stat()
        inside = files_in(path) if files and path.is_dir() else ()
        strange = sorted(each.name for each in inside if each.stat().st_uid != owner.uid)
        read_only = is_read_only(os.statvfs(path))
    except FileNotFoundError:
        return about.warn("doctor.folder_missing", "cure.made_at_start")
    except OSError as error:
        return about.not_to_be_seen(path, error)
    if not stat.S_ISDIR(found.st_mode):
        return about.fail("doctor.folder_no_folder", "cure.move_file_away")
    if found.st_uid == owner.uid and not strange:
        return _by_mode(about, found.st_mode)
    gives = "cure.see_mount" if read_only else "cure.give_folder"
    if found.st_uid != owner.uid:
        return about.having(value=found.st_uid).fail("doctor.folder_of_another", gives)
    return _of_another(about, strange, files or "*", gives)


def _of_another(about: About, strange: Sequence[str], files: str, gives: str) -> Finding:
    """The first file that isn't the owner's."""
    # Given to benchd it would look like benchd's own: it goes before anything is given away.
    if foreign := [name for name in strange if not fnmatch(name, files)]:
        return about.having(value=foreign[0]).warn("doctor.file_of_nobodys", "cure.take_file_away")
    return about.having(value=strange[0]).fail("doctor.file_of_another", gives)


def files_in(path: Path) -> Iterator[os.DirEntry[str]]:
    """Each file of a folder, of which there may be as many as jobs."""
    with os.scandir(path) as entries:
        yield from (each for each in entries if each.is_file(follow_symlinks=False))


def _by_mode(about: About, mode: int) -> Finding:
    if mode & _OPEN:
        is_open = about.having(value=f"{stat.S_IMODE(mode):04o}")
        return is_open.warn("doctor.folder_open", "cure.close_folder")
    return about.ok("doctor.folder_private")


def space(path: Path, statvfs: Callable[[Path], os.statvfs_result] = os.statvfs) -> Finding:
    """Whether there is room, for whoever isn't root, and whether it can be written to."""
    about = About("check.space").having(path=path)
    try:
        found = statvfs(_there(path))
    except OSError as error:
        return about.not_to_be_seen(path, error)
    if is_read_only(found):
        return about.fail("doctor.read_only", "cure.see_mount")
    # File systems like btrfs don't count them.
    if found.f_files and found.f_favail < LEAST_FILES:
        return about.having(count=found.f_favail).fail("doctor.space_files", "cure.make_room")
    free = found.f_bavail * found.f_frsize
    about = about.having(value=_amount(free), count=_amount(LEAST_BYTES))
    if free < LEAST_BYTES:
        return about.fail("doctor.space_free", "cure.make_room")
    if free < LITTLE_BYTES:
        return about.warn("doctor.space_free", "cure.make_room")
    return about.ok("doctor.space_free")


def _amount(size: int) -> str:
    """As df(1) shows it, with -h."""
    return f"{size / (1 << 30):.1f} GiB" if size >= 1 << 30 else f"{size >> 20} MiB"


def flush(path: Path, mounts: Path = MOUNTS) -> Finding:
    """Whether the file system hands flushes on; what the disk makes of them, nobody can see."""
    about = About("check.flush").having(path=path)
    try:
        mount = _mount_of(_there(path).resolve(), mounts.read_text("utf-8", "replace"))
    except OSError as error:
        return about.not_to_be_seen(path, error)
    if mount is None:
        return about.not_checked("doctor.flush_unknown")
    return _by_mount(about, *mount)


def _by_mount(about: About, kind: str, options: frozenset[str]) -> Finding:
    about = about.having(name=kind)
    if kind in _IN_MEMORY:
        return about.fail("doctor.flush_memory", "cure.move_to_disk")
    if kind in _ELSEWHERE:
        return about.warn("doctor.flush_elsewhere", "cure.move_to_disk")
    if kind in _LAYERED or kind.startswith("fuse"):
        return about.not_checked("doctor.flush_underneath", "cure.move_to_disk")
    if off := sorted(_NO_BARRIER & options):
        return about.having(value=off[0]).fail("doctor.flush_off", "cure.mount_otherwise")
    return about.ok("doctor.flush_reaches")


def _there(path: Path) -> Path:
    """The folder, or the nearest one above it that there is: there it would be made."""
    return next((each for each in (path, *path.parents) if each.exists()), Path("/"))


def _mount_of(path: Path, mounts: str) -> tuple[str, frozenset[str]] | None:
    """Kind and options of the file system that a path lies on (proc_pid_mountinfo(5))."""
    found: tuple[str, frozenset[str]] | None = None
    longest = -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        if len(fields := before.split()) < 6 or len(rest := after.split()) < 3:
            continue
        place = Path(_plain(fields[4]))
        # Of several mounts on one place the last is the one that is seen.
        if path.is_relative_to(place) and len(place.parts) >= longest:
            longest = len(place.parts)
            found = rest[0], frozenset((*fields[5].split(","), *rest[2].split(",")))
    return found


def _plain(field: str) -> str:
    """The kernel writes blanks and the like as octal numbers."""
    for code in ("040", "011", "012", "134"):
        field = field.replace(f"\\{code}", chr(int(code, 8)))
    return field
