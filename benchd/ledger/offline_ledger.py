"""A ledger that nobody writes to, looked at in its place without a trace of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import apsw

from benchd.domain.errors import LedgerBroken, LedgerFault
from benchd.domain.sql_statements import query
from benchd.ledger.head import Head
from benchd.ledger.head_file import SignedHeads
from benchd.ledger.ledger_database import (
    PLAIN_VFS,
    check_file,
    open_copy,
    open_for_reading,
    open_unchanged,
)
from benchd.ledger.snapshot import snapshot
from benchd.ledger.start_check import check_start
from benchd.ledger.unsigned_tail import signed_up_to
from benchd.ledger.witness import Witness
from benchd.signing.public_key import Signer

LARGEST_COPY_BYTES: Final = 1 << 30
"""After a crash its newest records stand in a log that only a copy lets one read."""
_UNSIGNED: Final = "SELECT count(*) FROM record WHERE sequence > ?"


def end_at_rest(
    path: Path, heads: SignedHeads | None, signer: Signer, witnesses: Iterable[Witness]
) -> Head | None:
    """The end at which a start would go on; None where that takes a copy that is too large.

    Of records that nobody has signed, `unsigned_records` tells. Nothing is written beside the
    ledger. Raises what a start would: LedgerFault or LedgerBroken; or OSError.
    """
    try:
        with _opened(path, checked=True) as connection:
            if connection is None:
                return None
            if not check_file(connection, path):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
            return check_start(connection, heads, signer, witnesses, unsigned=True)
    except apsw.Error as error:
        message = f"the ledger {path} can't be opened: {error}"
        raise LedgerFault(message) from error


def unsigned_records(path: Path, heads: SignedHeads | None) -> int | None:
    """How many records nobody has signed; None where that takes a copy that is too large.

    Nothing is written beside the ledger. Raises LedgerFault, LedgerBroken or OSError.
    """
    try:
        with _opened(path, checked=False) as connection:
            return None if connection is None else _count(connection, heads)
    except apsw.Error as error:
        message = f"the ledger's file can't be read: {error}"
        raise LedgerBroken(message, sequence=0) from error


@contextmanager
def _opened(path: Path, *, checked: bool) -> Generator[apsw.Connection | None]:
    """A connection to it, or to a copy of it; `checked` refuses damaged pages."""
    if not _has_log(path):
        vfs = {} if checked else {"vfs": PLAIN_VFS}
        with closing(open_unchanged(path, **vfs)) as connection:
            yield connection
    elif path.stat().st_size > LARGEST_COPY_BYTES:
        yield None
    else:
        opens = open_for_reading if checked else open_copy
        with snapshot(path) as copy, closing(opens(copy.database)) as connection:
            yield connection


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
