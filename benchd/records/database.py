"""The read model's SQLite file: opened if it is one of ours and sound, else made anew."""

from __future__ import annotations

import importlib.resources
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw
import structlog

from benchd.checksum_vfs import CHECKSUM_BYTES, CHECKSUM_VFS, register_checksum_vfs
from benchd.errors import RecordsUnavailable
from benchd.records.rows import TABLES
from benchd.statements import query

PAGE_BYTES: Final = 4096
FILE_MODE: Final = 0o600
FORM: Final = 8
"""Raised with every change of the schema or of what is read from a record: then it's made anew."""
CACHE_KIB: Final = 16 * 1024
BUSY_MS: Final = 5000

_log = structlog.get_logger()


def records_path(ledger: Path) -> Path:
    """Where the read model of a ledger lies: beside it."""
    return ledger.with_name(f"{ledger.stem}-records.sqlite")


def open_or_make(path: Path) -> apsw.Connection:
    """The connection that adds to the file; one that isn't a sound read model is thrown away.

    Raises RecordsUnavailable where the disk refuses.
    """
    register_checksum_vfs()
    try:
        with suppress(apsw.Error, ValueError):
            if path.exists():
                return _opened(path)
        _log.info("records_made_anew", path=str(path))
        throw_away(path)
        return _made(path)
    except (apsw.Error, OSError) as error:
        message = f"the file of records {path} can't be made: {error}"
        raise RecordsUnavailable(message) from error


def open_for_reading(path: Path) -> apsw.Connection:
    """A second connection, which can change nothing."""
    connection = _connection(path)
    query(connection, "PRAGMA query_only = 1")
    return connection


def throw_away(path: Path) -> None:
    """Remove the file with all that SQLite keeps beside it."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"):
        path.with_name(name).unlink(missing_ok=True)


def _connection(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=CHECKSUM_VFS)
    connection.set_busy_timeout(BUSY_MS)
    query(connection, "PRAGMA trusted_schema = 0")
    query(connection, "PRAGMA cell_size_check = 1")
    query(connection, "PRAGMA temp_store = memory")
    query(connection, f"PRAGMA cache_size = -{CACHE_KIB}")
    return connection


def _opened(path: Path) -> apsw.Connection:
    """ValueError for a file that isn't one of ours; apsw.Error for one that is damaged."""
    connection = _connection(path)
    try:
        expected = apsw.Connection(":memory:")
        try:
            query(expected, _schema())
            query(expected, f"PRAGMA user_version = {FORM}")
            if _shape(expected) != _shape(connection):
                message = "it has other tables"
                raise ValueError(message)
        finally:
            expected.close()
        _keep_in_order(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _made(path: Path) -> apsw.Connection:
    path.touch(mode=FILE_MODE)
    connection = _connection(path)
    try:
        connection.reserve_bytes(reserve=CHECKSUM_BYTES)
        query(connection, f"PRAGMA page_size = {PAGE_BYTES}")
        _keep_in_order(connection)
        query(connection, "BEGIN IMMEDIATE")
        query(connection, _schema())
        query(connection, f"PRAGMA user_version = {FORM}")
        query(connection, "COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _keep_in_order(connection: apsw.Connection) -> None:
    query(connection, "PRAGMA journal_mode = wal")
    # What a power cut takes of it is read from the ledger again.
    query(connection, "PRAGMA synchronous = normal")


def _schema() -> str:
    rest = importlib.resources.files("benchd.records").joinpath("schema.sql").read_text("utf-8")
    return "\n".join([*(table.create for table in TABLES), rest])


def _shape(connection: apsw.Connection) -> list[tuple[object, ...]]:
    told = [
        *query(connection, "PRAGMA application_id"),
        *query(connection, "PRAGMA user_version"),
    ]
    return [*told, *query(connection, "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2")]
