"""What a hand with the ledger's file and without the rack's key can write into it, by SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from benchd.domain.ids import Evidence
from benchd.domain.sql_statements import query
from benchd.ledger.checksum_vfs import CHECKSUM_VFS
from benchd.ledger.ledger_record import GENESIS
from benchd.signing import canonical

Rewritten = Callable[[Evidence], Evidence]
"""From the body of a record to what shall stand in its place; the same for what is left alone."""


def rewrite(
    path: Path, rewritten: Rewritten, *, whole_chain: bool, triggers: bool = True
) -> int | None:
    """Change records so that their own hashes fit, and with `whole_chain` all that follow too.

    Returns the number of the first that was changed. Without `triggers` those stay away.
    """
    with _unguarded(path, triggers=triggers) as connection:
        rows = list(query(connection, "SELECT sequence, previous, body FROM record"))
        first, last = None, GENESIS
        for row in rows:
            sequence, previous, body = _row(row)
            changed = _changed(body, rewritten)
            if first is None and changed != body:
                first = sequence
            before = last if whole_chain else previous
            last = hashlib.sha256(before + changed).digest()
            if changed != body or before != previous:
                _put(connection, sequence, (before, last, changed))
    return first


def cut_off(path: Path, *, after: int) -> None:
    """Take away all records after one, as if an older file had been put back."""
    with _unguarded(path, triggers=True) as connection:
        query(connection, "DELETE FROM record WHERE sequence > ?", (after,))


def _row(columns: tuple[object, ...]) -> tuple[int, bytes, bytes]:
    match columns:
        case (int() as sequence, bytes() as previous, bytes() as body):
            return sequence, previous, body
        case _:
            message = "this isn't a ledger"
            raise ValueError(message)


def _changed(body: bytes, rewritten: Rewritten) -> bytes:
    record = canonical.decode(body)
    if not isinstance(record, Mapping):
        message = "this isn't a record"
        raise TypeError(message)
    return canonical.encode(rewritten(record))


def _put(connection: apsw.Connection, sequence: int, values: tuple[bytes, bytes, bytes]) -> None:
    sql = "UPDATE record SET previous = ?, hash = ?, body = ? WHERE sequence = ?"
    query(connection, sql, (*values, sequence))


@contextmanager
def _unguarded(path: Path, *, triggers: bool) -> Generator[apsw.Connection]:
    """The file without its triggers, which are put back afterwards."""
    with closing(apsw.Connection(str(path), vfs=CHECKSUM_VFS)) as connection, connection:
        sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        dropped = list(query(connection, sql))
        for name, _ in dropped:
            query(connection, f"DROP TRIGGER {name}")
        yield connection
        for _, made_by in dropped if triggers else ():
            query(connection, str(made_by))
