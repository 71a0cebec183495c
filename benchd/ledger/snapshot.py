"""A private copy of a ledger at one moment, so that looking at it never touches it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchd.domain.errors import LedgerFault
from benchd.ledger.head_file import head_path

COPY_SECONDS = 20.0
"""How long a copy is begun anew for, because benchd wrote to the file in the meantime."""
COPY_TRIES = 10
"""At least so often, however long one copy takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A copy of the ledger's files."""

    database: Path
    head: Path
    has_wal: bool


@contextmanager
def snapshot(ledger: Path) -> Generator[Snapshot]:
    """Copy a ledger, whether benchd writes to it, was killed or was stopped in good order."""
    with tempfile.TemporaryDirectory(prefix="benchd-ledger-") as directory:
        copy = Path(directory) / "ledger"
        try:
            taken = _copy(ledger, copy)
        except OSError as error:
            message = f"the ledger {ledger} can't be copied to {directory}: {error}"
            raise LedgerFault(message) from error
        yield taken


def state_of(ledger: Path) -> tuple[tuple[int, int, int] | None, ...]:
    """Differs whenever a file of the ledger has been written to."""
    return tuple(_state(path) for path in (ledger, _wal(ledger), head_path(ledger)))


def _copy(ledger: Path, copy: Path) -> Snapshot:
    until, tries = time.monotonic() + COPY_SECONDS, 0
    while tries < COPY_TRIES or time.monotonic() < until:
        tries += 1
        before = _state(ledger)
        # The head first: it may be older than the copy, but never newer. The WAL last: it then
        # holds every page that was moved from it while the file was copied.
        _copy_if_there(head_path(ledger), head_path(copy))
        shutil.copyfile(ledger, copy)
        has_wal = _copy_if_there(_wal(ledger), _wal(copy))
        if before == _state(ledger):
            return Snapshot(database=copy, head=head_path(copy), has_wal=has_wal)
    message = f"the ledger {ledger} is written to so often that no copy could be made; try again"
    raise LedgerFault(message)


def _copy_if_there(source: Path, target: Path) -> bool:
    target.unlink(missing_ok=True)
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        return False
    return target.stat().st_size > 0


def _wal(ledger: Path) -> Path:
    return ledger.with_name(ledger.name + "-wal")


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return (status.st_ino, status.st_size, status.st_mtime_ns)
