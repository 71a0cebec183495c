"""An SQLite file beside the ledger whose content can be had again: opened if sound, else made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from benchd.domain.sql_statements import query
from benchd.ledger.checksum_vfs import CHECKSUM_BYTES, CHECKSUM_VFS, register_checksum_vfs

_PAGE_BYTES: Final = 4096
_PRIVATE_MODE: Final = 0o600
_BUSY_MS: Final = 5000
_PRAGMAS: Final = ("trusted_schema = 0", "cell_size_check = 1", "temp_store = memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFile:
    """The form of an SQLite file beside the ledger: what is in it can be had again at any time."""

    schema: str
    """With the id of the application in it."""
    form: int
    """Raised with every change of the schema or of what is kept by it."""
    pragmas: tuple[str, ...] = ()

    def connect(self, path: Path) -> apsw.Connection:
        """A connection to a file that is there; may raise apsw.Error."""
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=CHECKSUM_VFS)
        connection.set_busy_timeout(_BUSY_MS)
        for pragma in (*_PRAGMAS, *self.pragmas):
            query(connection, f"PRAGMA {pragma}")
        return connection

    def open(self, path: Path) -> apsw.Connection | None:
        """One that adds to the file; None where it has another form. Raises apsw.Error."""
        register_checksum_vfs()
        connection = self.connect(path)
        try:
            if _shape(connection) == self._shape():
                _keep_in_order(connection)
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None

    def make(self, path: Path) -> apsw.Connection:
        """The same of a file that isn't there yet, made for its owner only; may raise OSError."""
        register_checksum_vfs()
        path.touch(mode=_PRIVATE_MODE)
        connection = self.connect(path)
        try:
            connection.reserve_bytes(reserve=CHECKSUM_BYTES)
            query(connection, f"PRAGMA page_size = {_PAGE_BYTES}")
            _keep_in_order(connection)
            self._fill(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def in_memory(self) -> apsw.Connection:
        """One that is gone with its connection."""
        connection = apsw.Connection(":memory:")
        self._fill(connection)
        return connection

    def _shape(self) -> list[tuple[object, ...]]:
        expected = self.in_memory()
        try:
            return _shape(expected)
        finally:
            expected.close()

    def _fill(self, connection: apsw.Connection) -> None:
        query(connection, "BEGIN IMMEDIATE")
        query(connection, self.schema)
        query(connection, f"PRAGMA user_version = {self.form}")
        query(connection, "COMMIT")


def throw_away(path: Path) -> None:
    """Remove an SQLite file with all that SQLite keeps beside it."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"):
        path.with_name(name).unlink(missing_ok=True)


def _keep_in_order(connection: apsw.Connection) -> None:
    query(connection, "PRAGMA journal_mode = wal")
    # What a power cut takes of it is had again.
    query(connection, "PRAGMA synchronous = normal")


def _shape(connection: apsw.Connection) -> list[tuple[object, ...]]:
    told = [
        *query(connection, "PRAGMA application_id"),
        *query(connection, "PRAGMA user_version"),
    ]
    return [*told, *query(connection, "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2")]
