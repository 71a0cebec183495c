"""Files that are written once, whole, and never changed."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from benchd.domain.errors import CertificateInvalid, DependencyMissing

FILE_MODE = 0o640

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")


def keep_file(directory: Path, name: str, data: bytes) -> Path:
    """Write `<directory>/<name>.json` if it isn't there; it's on disk when this returns.

    Raises CertificateInvalid when another content is there, DependencyMissing when the disk
    refuses.
    """
    if _NAME.fullmatch(name) is None:
        message = f"{name[:80]!r} can't be the name of a certificate's file"
        raise CertificateInvalid(message)
    path = directory / f"{name}.json"
    draft = directory / f".{name}.json.{os.urandom(8).hex()}"
    try:
        if not _holds(path, data):
            try:
                _write(draft, data)
                # A link, since a rename would put it in the place of a file that came meanwhile.
                os.link(draft, path)
            except FileExistsError:
                if not _holds(path, data):
                    raise
            finally:
                with suppress(FileNotFoundError):
                    draft.unlink()
        _sync_directory(directory)
    except OSError as error:
        message = f"the certificate {path} can't be written: {error.strerror}"
        cure = "Make the directory, with room and rights; the ledger holds the certificate."
        raise DependencyMissing(message, cure=cure) from error
    return path


def _holds(path: Path, data: bytes) -> bool:
    try:
        kept = path.read_bytes()
    except FileNotFoundError:
        return False
    if kept != data:
        message = f"{path} holds another certificate already; it's left as it is"
        raise CertificateInvalid(message)
    return True


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), FILE_MODE)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
