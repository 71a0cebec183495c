"""The SQLite file of a ledger: a checksum on each page, and the form that benchd knows.

SQLite's checksum VFS keeps eight bytes at the end of each page. They cover what the hash chain
can't see: free space, index pages and the file's header.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import apsw

from benchd.domain.errors import LedgerBroken, LedgerFault
from benchd.domain.evidence_json import OLDEST_FORM, refusal_of_older
from benchd.domain.sql_statements import query
from benchd.ledger.checksum_vfs import CHECKSUM_BYTES, CHECKSUM_VFS, register_checksum_vfs

PLAIN_VFS = "unix"
PAGE_BYTES = 4096
READ_LOCK_MS = 1000
"""How long a read waits where another process recovers the file, or has it for itself."""
COPY_CACHE_KIB = 64 * 1024
"""The indexes by IMEI are filled at places that lie far apart."""
OLDER_CURE = (
    "Such ledgers are of virtual handsets alone: move it away with all that lies beside it and with"
    " the folder of certificates, and start again with a new one."
)


def open_for_writing(path: Path) -> apsw.Connection:
    """The one connection that adds to a ledger; the file has to exist and may be empty."""
    register_checksum_vfs()
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=CHECKSUM_VFS)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> apsw.Connection:
    """A second connection to a ledger that this process writes to; it can change nothing."""
    register_checksum_vfs()
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=CHECKSUM_VFS)
    _restrict(connection)
    connection.set_busy_timeout(READ_LOCK_MS)
    query(connection, "PRAGMA query_only = 1")
    return connection


def open_new(path: Path) -> apsw.Connection:
    """A connection that fills an empty file of the newest form, which nobody else knows of yet.

    It keeps no journal: whatever is cut short is thrown away. Each commit is on disk.
    """
    register_checksum_vfs()
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=CHECKSUM_VFS)
    try:
        _restrict(connection)
        _reserve(connection)
        query(connection, "PRAGMA journal_mode = off")
        query(connection, "PRAGMA synchronous = full")
        query(connection, f"PRAGMA cache_size = -{COPY_CACHE_KIB}")
        _migrate(connection, upto=max(_migrations()))
    except BaseException:
        connection.close()
        raise
    return connection


def open_copy(path: Path) -> apsw.Connection:
    """A connection to a private copy, by SQLite's own VFS: damaged pages are read as they are."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=PLAIN_VFS)
    query(connection, "PRAGMA locking_mode = exclusive")
    _restrict(connection)
    return connection


def open_unchanged(path: Path, *, vfs: str = CHECKSUM_VFS) -> apsw.Connection:
    """A connection to a file that nobody writes to: SQLite makes none beside it."""
    register_checksum_vfs()
    uri = f"file:{quote(str(path.absolute()))}?immutable=1"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    return apsw.Connection(uri, flags=flags, vfs=vfs)


def check_form(connection: apsw.Connection) -> None:
    """Raise LedgerFault for a ledger of a form that this benchd doesn't read."""
    _known_version(connection)


def check_schema(connection: apsw.Connection) -> None:
    """Raise LedgerBroken unless tables, indexes and triggers are those of the migrations."""
    version = _known_version(connection)
    expected = apsw.Connection(":memory:", vfs=PLAIN_VFS)
    try:
        _migrate(expected, upto=version)
        if version and _schema(expected) == _schema(connection):
            return
    finally:
        expected.close()
    message = "the ledger's tables or triggers aren't those that benchd made"
    raise LedgerBroken(message, sequence=0)


def _prepare(connection: apsw.Connection, path: Path) -> None:
    # Not in exclusive mode, which would keep our own reading connection out as well.
    _restrict(connection)
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    if _known_version(connection) == 0:
        _refuse_foreign(connection, path)
        _reserve(connection)
    query(connection, "PRAGMA journal_mode = wal")
    query(connection, "PRAGMA synchronous = full")
    _migrate(connection, upto=max(_migrations()))
    _check_made(connection, path)


def check_file(connection: apsw.Connection, path: Path) -> bool:
    """Whether it is a ledger, False for a file in which one is yet to be made; changes nothing.

    Raises LedgerFault or LedgerBroken for what can't be opened for writing either.
    """
    if _known_version(connection) == 0:
        _refuse_foreign(connection, path)
        return False
    _check_made(connection, path)
    return True


def _refuse_foreign(connection: apsw.Connection, path: Path) -> None:
    if _schema(connection):
        message = f"{path} is a database, but not a ledger of benchd"
        raise LedgerFault(message)


def _check_made(connection: apsw.Connection, path: Path) -> None:
    if connection.reserve_bytes() != CHECKSUM_BYTES:
        message = f"the ledger {path} has no page checksums"
        raise LedgerBroken(message, sequence=0)
    check_schema(connection)
    _refuse_older_evidence(connection)


def _refuse_older_evidence(connection: apsw.Connection) -> None:
    """By the first that there is: a ledger begins with its oldest."""
    sql = """
        SELECT json_extract(CAST(body AS TEXT), '$.data.form') FROM record NOT INDEXED
        WHERE kind = 'stage_ended' AND json_valid(CAST(body AS TEXT)) ORDER BY sequence LIMIT 1
    """
    match next(query(connection, sql), None):
        case (int() as form,) if form >= OLDEST_FORM:
            pass
        case (told,):
            form = told if isinstance(told, int) else 1
            message = f"in the ledger's first job, {refusal_of_older(form)}\n{OLDER_CURE}"
            raise LedgerFault(message)
        case _:
            pass


def _reserve(connection: apsw.Connection) -> None:
    connection.reserve_bytes(reserve=CHECKSUM_BYTES)
    query(connection, f"PRAGMA page_size = {PAGE_BYTES}")


def _restrict(connection: apsw.Connection) -> None:
    query(connection, "PRAGMA trusted_schema = 0")
    query(connection, "PRAGMA cell_size_check = 1")
    # A file for sorting would need a descriptor, and room.
    query(connection, "PRAGMA temp_store = memory")


def _migrate(connection: apsw.Connection, *, upto: int) -> None:
    for number, sql in _migrations().items():
        if _version(connection) < number <= upto:
            query(connection, "BEGIN IMMEDIATE")
            query(connection, sql)
            query(connection, f"PRAGMA user_version = {number}")
            query(connection, "COMMIT")


def _migrations() -> Mapping[int, str]:
    """In their order, by the form that each makes; the first makes a ledger of an empty file."""
    directory = importlib.resources.files("benchd.ledger") / "migrations"
    files = sorted(
        (file for file in directory.iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    return {int(file.name[:4]): file.read_text(encoding="utf-8") for file in files}


def _known_version(connection: apsw.Connection) -> int:
    version, known = _version(connection), _migrations()
    if version > max(known):
        message = f"the ledger was made by a newer benchd (form {version})"
        raise LedgerFault(message)
    if 0 < version < min(known):
        message = (
            f"the ledger has form {version}, from before benchd's first release, which is read no"
            f" more\n{OLDER_CURE}"
        )
        raise LedgerFault(message)
    return version


def _version(connection: apsw.Connection) -> int:
    match next(query(connection, "PRAGMA user_version"), None):
        case (int() as version,):
            return version
        case _:
            return 0


def _schema(connection: apsw.Connection) -> list[tuple[object, ...]]:
    sql = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
    return list(query(connection, sql))
