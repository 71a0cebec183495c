"""The ledger as JSON lines that anyone can check without benchd."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchd.ledger.chain import linked_rows
from benchd.ledger.head import EMPTY_HEAD
from benchd.ledger.ledger_database import open_copy
from benchd.ledger.snapshot import snapshot


def export_lines(path: Path) -> Iterator[bytes]:
    """Each record as `{"hash":"<64 hex digits>","body":<stored bytes>}` and a line feed.

    A line's hash is SHA-256(the hash of the line before, as 32 bytes, and the stored bytes),
    with zeros before the first. Raises LedgerBroken in place of the first record that is wrong.
    """
    with snapshot(path) as copy, closing(open_copy(copy.database)) as connection:
        for row in linked_rows(connection, EMPTY_HEAD):
            yield b'{"hash":"%b","body":%b}\n' % (row.hash.hex().encode(), row.body)
