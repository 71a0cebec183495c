"""A small disk with ext4, in memory, of which every write is logged in the order of its flushes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DISK_BYTES: Final = 32 << 20
LOG_BYTES: Final = 1 << 30
SECTOR_BYTES: Final = 512
NAME: Final = "power-cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedDisk:
    """Where it is mounted, and a way to mark its log."""

    mounted: Path

    def mark(self, text: str) -> None:
        """Put a mark, a word without a space, behind all that has been flushed by now."""
        run("dmsetup", "message", NAME, "0", "mark", text)


def run(*argv: str) -> str:
    """What a command prints; raises CalledProcessError unless it ends well."""
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


@contextmanager
def logged_disk(folder: Path) -> Generator[LoggedDisk]:
    """A new disk, unmounted at the block's end; its log stays in the folder."""
    run("modprobe", "dm_log_writes")
    run("modprobe", "loop")
    disk, log = folder / "disk", folder / "log"
    for path, size in ((disk, DISK_BYTES), (log, LOG_BYTES)):
        with path.open("wb") as file:
            file.truncate(size)
    run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(disk))
    shutil.copyfile(disk, folder / "before")
    mounted = folder / "mounted"
    mounted.mkdir()
    loops: list[str] = []
    try:
        loops += [run("losetup", "--find", "--show", str(path)) for path in (disk, log)]
        table = f"0 {DISK_BYTES // SECTOR_BYTES} log-writes {loops[0]} {loops[1]}"
        run("dmsetup", "create", NAME, "--table", table)
        try:
            run("mount", f"/dev/mapper/{NAME}", str(mounted))
            try:
                yield LoggedDisk(mounted=mounted)
            finally:
                run("umount", str(mounted))
        finally:
            run("dmsetup", "remove", "--retry", NAME)
    finally:
        for loop in loops:
            run("losetup", "--detach", loop)


@contextmanager
def mounted_copy(disk: Path, folder: Path) -> Generator[Path]:
    """A copy of a disk as its power came back: ext4 mends itself when it is mounted."""
    copy, place = folder / "copy", folder / "found"
    shutil.copyfile(disk, copy)
    place.mkdir(exist_ok=True)
    run("mount", "-o", "loop", str(copy), str(place))
    try:
        yield place
    finally:
        run("umount", str(place))
        copy.unlink()
