"""Writes a backup of a ledger: each file whole under its final name, the manifest last.

It runs in a process of its own, beside the daemon or without one: a folder whose server hangs,
a full disk or a slow verification are nobody's trouble but the backup's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchd.domain.errors import DependencyMissing, LedgerBroken
from benchd.ledger.durable_files import create_file, replace_file, sync_directory, sync_file
from benchd.ledger.head import Head
from benchd.ledger.head_file import head_path, read_head, reset_head
from benchd.ledger.ledger_copy import cannot_write, copy_records
from benchd.ledger.ledger_verification import verify_file
from benchd.ledger.lock import backup_lock
from benchd.ledger.manifest import (
    MANIFEST_ENDING,
    Manifest,
    Part,
    digest_of,
    encode_manifest,
    part_path,
)
from benchd.signing.key_ring import KeyRing
from benchd.signing.private_key import SigningKey

NOT_THERE = "Name the rack's configuration with --config, and do it as root or as benchd's user."
HEAD_TRIES = 5
"""The head's two slots are written in turn: both can be met half-written, but not for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who signs a backup, and with what it is read and verified."""

    key: SigningKey
    ring: KeyRing
    benchd: str
    """The version that writes it."""


def write_backup(
    ledger: Path,
    folder: Path,
    author: Author,
    *,
    at: datetime,
    beside: Callable[[], Mapping[Part, bytes]] = dict,
    pace: Callable[[float], object] = time.sleep,
) -> tuple[Path, Manifest]:
    """Back the ledger up into a folder that is there; its manifest's path, and what it holds.

    All that was acknowledged before it began is in it. `beside` is asked for the small files
    once it is known how far the ledger goes. What a former backup left half-made is removed.

    Raises LedgerBroken where the ledger or the copy doesn't hold, LedgerFault where another
    backup goes on, DependencyMissing where there is no ledger or no room.
    """
    if not ledger.exists():
        message = f"there is no ledger {ledger}"
        raise DependencyMissing(message, cure=NOT_THERE)
    name = f"benchd-{author.ring.rack[:16]}"
    manifest = folder / f"{name}-{at:%Y%m%dT%H%M%SZ}{MANIFEST_ENDING}"
    with backup_lock(ledger), _readable_failures(folder):
        _clear(folder, name)
        head = _signed_head(ledger, author.ring)
        small = beside()
        for part in Part:
            _refuse_existing(part_path(manifest, part))
        _refuse_existing(manifest)
        records = _keep_ledger(ledger, part_path(manifest, Part.LEDGER), head, author, pace)
        reset_head(part_path(manifest, Part.HEAD), head, author.key)
        for part, data in small.items():
            replace_file(part_path(manifest, part), data)
        parts = (Part.LEDGER, Part.HEAD, *small)
        told = Manifest(
            at=at,
            benchd=author.benchd,
            head=head,
            records=records,
            files={part: digest_of(part_path(manifest, part)) for part in parts},
        )
        replace_file(manifest, encode_manifest(told, author.key))
    return manifest, told


def _keep_ledger(
    ledger: Path, final: Path, head: Head, author: Author, pace: Callable[[float], object]
) -> int:
    draft = _draft(final)
    try:
        create_file(draft)
        records = copy_records(ledger, draft, head, author.ring, pace)
        sync_file(draft)
        verify_file(draft, head, author.ring)
        draft.replace(final)
        sync_directory(final.parent)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    return records


def _signed_head(ledger: Path, ring: KeyRing) -> Head:
    for _ in range(HEAD_TRIES - 1):
        with suppress(LedgerBroken):
            return _head(ledger, ring)
    return _head(ledger, ring)


def _head(ledger: Path, ring: KeyRing) -> Head:
    head = read_head(head_path(ledger), ring, strict=False)
    if head is None:
        message = "the ledger has records, but its signed head file is gone"
        raise LedgerBroken(message, sequence=0)
    return head


def _draft(final: Path) -> Path:
    return final.with_name(f".{final.name}.draft")


def _clear(folder: Path, name: str) -> None:
    for left in (*folder.glob(f".{name}-*.draft"), *folder.glob(f"{name}-*.new")):
        left.unlink(missing_ok=True)


def _refuse_existing(path: Path) -> None:
    if path.exists():
        message = f"{path} is there already"
        raise DependencyMissing(message, cure="Nothing is overwritten: try again, or move it away.")


@contextmanager
def _readable_failures(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise cannot_write(folder, error) from error
