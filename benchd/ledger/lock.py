"""One writer per ledger, over all processes of the machine."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchd.errors import LedgerFault
from benchd.ledger.files import PRIVATE_MODE


@contextmanager
def writer_lock(ledger: Path) -> Generator[None]:
    """Hold the ledger against any other benchd; the kernel lets go when the process dies.

    The lock is on a file of its own, because closing any other descriptor of the database
    would drop the locks that SQLite itself holds on it.
    """
    path = ledger.with_name(ledger.name + ".lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_MODE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another benchd holds this ledger: {ledger}"
            raise LedgerFault(message) from error
        yield
    finally:
        os.close(descriptor)
