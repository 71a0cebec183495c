"""SQLite's checksum VFS: a checksum on each page, so that damage is an error and no answer."""

from __future__ import annotations

from typing import Final

import apsw
import apsw.sqlite_extra

from benchd.domain.errors import DependencyMissing

CHECKSUM_VFS: Final = "cksmvfs"
CHECKSUM_BYTES: Final = 8
"""At the end of each page; a file has to reserve them before its first table."""


def register_checksum_vfs() -> None:
    """Have it known to SQLite by its name; DependencyMissing where it isn't there."""
    names = apsw.vfs_names()
    if CHECKSUM_VFS in names:
        return
    connection = apsw.Connection(":memory:")
    try:
        apsw.sqlite_extra.load(connection, "cksumvfs")
    except (LookupError, apsw.sqlite_extra.NotAvailable, apsw.Error) as error:
        message = "SQLite's checksum VFS isn't there, so the ledger's file can't be guarded"
        cure = "Install apsw as a wheel: it brings SQLite's extensions along."
        raise DependencyMissing(message, cure=cure) from error
    finally:
        connection.close()
    # Loading makes it the default for the whole process; only those who name it asked for it.
    apsw.set_default_vfs(names[0])
