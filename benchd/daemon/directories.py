"""What the daemon keeps its things in."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from benchd.config import Settings
from benchd.daemon.disk_space import is_read_only
from benchd.domain.errors import DependencyMissing

DIRECTORY_MODE = 0o750
_CURE = "Make it for benchd's user, or set another one in the configuration."


def make_directories(settings: Settings) -> None:
    """Make what benchd keeps its things in, for whom it lies in what belongs to them.

    Raises DependencyMissing for one that can't be made, or not be written to: a certificate that
    finds no place is found out about only after the erasure.
    """
    own = (settings.adb.home,) if settings.adb.server == "own" else ()
    written = (settings.certificate.directory, settings.ledger.path.parent)
    for directory in (*own, *written):
        made = [each for each in (directory, *directory.parents) if not each.exists()]
        try:
            directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
            if made:
                give(made, made[-1].parent.stat())
        except OSError as error:
            message = f"the directory {directory} can't be made: {error.strerror}"
            cure = _mount_cure(directory) if error.errno == errno.EROFS else _CURE
            raise DependencyMissing(message, cure=cure) from error
        if directory in written and not os.access(directory, os.W_OK | os.X_OK):
            raise _not_to_be_written_to(directory)


def _not_to_be_written_to(directory: Path) -> DependencyMissing:
    """By what keeps it from being written to: how it is mounted, or whose it is."""
    if is_read_only(os.statvfs(directory)):
        message = f"the directory {directory} can't be written to: Read-only file system"
        return DependencyMissing(message, cure=_mount_cure(directory))
    message = f"the directory {directory} can't be written to"
    cure = f"Give it to benchd's user: `sudo chown -R benchd: {directory}`."
    return DependencyMissing(message, cure=cure)


def _mount_cure(directory: Path) -> str:
    return (
        "It lies on what is mounted read-only, so no owner helps. `sudo journalctl -k -p err`"
        f" shows whether its disk errs; `findmnt --target {directory}` what is mounted there;"
        f" outside of /var/lib/benchd the unit needs ReadWritePaths={directory}."
    )


def give(files: Iterable[Path], owner: os.stat_result) -> None:
    """What root has made belongs to this one, who isn't root."""
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    for file in files:
        with suppress(OSError):
            os.chown(file, owner.st_uid, owner.st_gid, follow_symlinks=False)
