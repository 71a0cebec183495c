"""Puts a changed configuration in the place of the old one: whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from benchd.domain.errors import UsageRefused


def replace_file(file: Path, before: bytes, after: bytes) -> None:
    """Replace the file's content, or raise UsageRefused and leave it as it was.

    A reader sees the old file or the new one, also after a crash. Owner and rights stay; where
    the path is a symbolic link, the file behind it is replaced. A file that isn't `before` any
    more was changed by somebody else meanwhile, and isn't touched.
    """
    target = Path(os.path.realpath(file))
    temporary: Path | None = None
    try:
        if target.read_bytes() != before:
            raise UsageRefused(f"{file} was changed by somebody else meanwhile; begin anew")
        status = target.stat()
        # In the same folder: a file is renamed at once only within one file system.
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as stream:
            stream.write(after)
            stream.flush()
            made = os.fstat(stream.fileno())
            if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
                os.fchown(stream.fileno(), status.st_uid, status.st_gid)
            os.fchmod(stream.fileno(), status.st_mode & 0o7777)
            os.fsync(stream.fileno())
        temporary.replace(target)
        temporary = None
        _sync_folder(target.parent)
    except OSError as error:
        raise UsageRefused(f"{file}: can't be written: {error.strerror}") from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def _sync_folder(folder: Path) -> None:
    """So that the new name outlives a power cut too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
