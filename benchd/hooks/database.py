"""The hooks' own SQLite file beside the ledger: opened if it is one of ours and sound, else made.

It holds nothing that can't be had again: without it, each hook begins anew where it once began.
"""

from __future__ import annotations

import importlib.resources
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw
import structlog

from benchd.checksum_vfs import CHECKSUM_BYTES, CHECKSUM_VFS, register_checksum_vfs
from benchd.errors import HooksUnavailable
from benchd.statements import query

FILE_MODE: Final = 0o600
FORM: Final = 2
"""Raised with every change of the schema; the file is then made anew."""
APPLICATION: Final = 0x62656E68
BUSY_MS: Final = 5000

_log = structlog.get_logger()


def hooks_path(ledger: Path) -> Path:
    """Where the state of a ledger's hooks lies: beside it."""
    return ledger.with_name(f"{ledger.stem}-hooks.sqlite")


def open_or_make(path: Path, *, mends: bool) -> apsw.Connection:
    """The file's connection; one that isn't sound is thrown away, if it `mends`.

    Raises HooksUnavailable.
    """
    register_checksum_vfs()
    try:
        if path.exists():
            with suppress(apsw.CorruptError, apsw.NotADBError, apsw.IOError):
                opened = _opened(path)
                if opened is not None:
                    return opened
            if not mends:
                raise HooksUnavailable(f"{path} isn't sound: the daemon makes it anew")
            _log.warning("hooks_state_made_anew", path=str(path))
            throw_away(path)
        return _made(path)
    except (apsw.Error, OSError) as error:
        raise HooksUnavailable(f"the hooks' file {path} can't be used: {error}") from error


def throw_away(path: Path) -> None:
    """Remove the file with all that SQLite keeps beside it."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"):
        path.with_name(name).unlink(missing_ok=True)


def _connection(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=CHECKSUM_VFS)
    connection.set_busy_timeout(BUSY_MS)
    for pragma in ("trusted_schema = 0", "cell_size_check = 1", "temp_store = memory"):
        query(connection, f"PRAGMA {pragma}")
    return connection


def _opened(path: Path) -> apsw.Connection | None:
    """None for a file that isn't one of ours."""
    connection = _connection(path)
    try:
        told = [
            next(query(connection, f"PRAGMA {name}"))[0]
            for name in ("application_id", "user_version")
        ]
        if told == [APPLICATION, FORM]:
            _keep_in_order(connection)
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def _made(path: Path) -> apsw.Connection:
    path.touch(mode=FILE_MODE)
    connection = _connection(path)
    try:
        connection.reserve_bytes(reserve=CHECKSUM_BYTES)
        _keep_in_order(connection)
        schema = importlib.resources.files("benchd.hooks").joinpath("schema.sql")
        query(connection, "BEGIN IMMEDIATE")
        query(connection, schema.read_text("utf-8"))
        query(connection, f"PRAGMA user_version = {FORM}")
        query(connection, "COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _keep_in_order(connection: apsw.Connection) -> None:
    query(connection, "PRAGMA journal_mode = wal")
    # What a power cut takes of it is sent again, as the same events.
    query(connection, "PRAGMA synchronous = normal")
