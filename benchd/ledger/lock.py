"""One writer per ledger, over all processes of the machine."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchd.domain.errors import LedgerFault
from benchd.ledger.durable_files import PRIVATE_MODE


@contextmanager
def writer_lock(ledger: Path) -> Generator[None]:
    """Hold the ledger against any other benchd; the kernel lets go when the process dies.

    The lock is on a file of its own, because closing any other descriptor of the database
    would drop the locks that SQLite itself holds on it.
    """
    path = ledger.with_name(ledger.name + ".lock")
    with _held(path, f"another benchd holds this ledger: {ledger}"):
        yield


@contextmanager
def backup_lock(ledger: Path) -> Generator[None]:
    """One backup of a ledger at a time: what else lies half-made in its folder is nobody's."""
    path = ledger.with_name(ledger.name + ".backup-lock")
    with _held(path, f"another backup of this ledger goes on: {ledger}"):
        yield


@contextmanager
def _held(path: Path, message: str) -> Generator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_MODE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LedgerFault(message) from error
        yield
    finally:
        os.close(descriptor)
