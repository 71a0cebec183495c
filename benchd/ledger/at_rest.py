"""A ledger that nobody writes to, looked at in its place without a trace of it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

import apsw

from benchd.domain.errors import LedgerBroken, LedgerFault
from benchd.ledger.head_file import SignedHeads
from benchd.ledger.ledger_database import PLAIN_VFS, open_copy
from benchd.ledger.snapshot import snapshot
from benchd.ledger.sql_statements import query
from benchd.ledger.unsigned_tail import signed_up_to

LARGEST_COPY_BYTES: Final = 1 << 30
"""After a crash its newest records stand in a log that only a copy lets one read."""
_UNSIGNED: Final = "SELECT count(*) FROM record WHERE sequence > ?"


def unsigned_records(path: Path, heads: SignedHeads | None) -> int | None:
    """How many records nobody has signed; None where that takes a copy that is too large.

    Nothing is written beside the ledger. Raises LedgerFault, LedgerBroken or OSError.
    """
    try:
        if not _has_log(path):
            # SQLite makes no file beside one that it is told can't change.
            uri = f"file:{quote(str(path.absolute()))}?immutable=1"
            flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
            with closing(apsw.Connection(uri, flags=flags, vfs=PLAIN_VFS)) as connection:
                return _count(connection, heads)
        if path.stat().st_size > LARGEST_COPY_BYTES:
            return None
        with snapshot(path) as copy, closing(open_copy(copy.database)) as connection:
            return _count(connection, heads)
    except apsw.Error as error:
        message = f"the ledger's file can't be read: {error}"
        raise LedgerBroken(message, sequence=0) from error


def _has_log(path: Path) -> bool:
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def _count(connection: apsw.Connection, heads: SignedHeads | None) -> int:
    match next(query(connection, _UNSIGNED, (signed_up_to(connection, heads),)), None):
        case (int() as count,):
            return count
        case _:
            message = "the ledger's records can't be counted"
            raise LedgerFault(message)
