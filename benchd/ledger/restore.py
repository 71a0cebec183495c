"""Puts a backup back in a ledger's place, with a signed record of the break.

All of it is made beside the ledger and verified there. Then the new head takes its place first:
cut short between the two, head and ledger don't fit, and no daemon starts. What lay there before
is set aside, and never deleted.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from benchd.domain.errors import BackupInvalid, LedgerBroken, UsageRefused, WouldLose
from benchd.domain.record import Entry, Receipt, StoredEntry
from benchd.domain.sql_statements import query
from benchd.ledger.chain import end_of_chain
from benchd.ledger.durable_files import PRIVATE_MODE, replace_file, sync_directory, sync_file
from benchd.ledger.head import Head
from benchd.ledger.head_file import head_path, read_head, reset_head
from benchd.ledger.ledger_database import open_for_reading
from benchd.ledger.ledger_record import unseal
from benchd.ledger.ledger_store import LedgerStore
from benchd.ledger.ledger_verification import verify_file
from benchd.ledger.ledger_walk import walk_ledger
from benchd.ledger.lock import writer_lock
from benchd.ledger.manifest import (
    Digest,
    Manifest,
    Part,
    digest_of,
    part_path,
)
from benchd.ledger.witness import Witness
from benchd.signing.key_ring import KeyRing
from benchd.signing.private_key import SigningKey

_NOT_SIGNED_FOR: Final = "isn't the file that was signed for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a backup goes, by whose keys it is believed, and who knows of more than it holds."""

    ledger: Path
    key: SigningKey
    ring: KeyRing
    witnesses: Sequence[Witness]


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBack:
    """How a restore has ended."""

    receipt: Receipt
    """Of the record of the break."""
    aside: Path | None
    """What lay there before; None where nothing did."""


def restore_from_backup(
    backup: Path,
    manifest: Manifest,
    target: Target,
    entry: Entry,
    *,
    replaces: bool,
    each: Callable[[StoredEntry], None],
) -> PutBack:
    """Put the backup of this manifest in place; `each` hears of every record in it.

    The manifest is believed: `read_manifest` has looked at its signature. `entry` says who does
    it and why; its record is numbered above all that is known.

    Raises BackupInvalid for files that aren't those it names, WouldLose where the ledger there has
    records that the backup hasn't, unless it `replaces` them, LedgerFault while a daemon runs.
    Until then nothing has changed.
    """
    ledger = target.ledger
    with writer_lock(ledger), _draft(ledger) as draft:
        _take(part_path(backup, Part.LEDGER), draft, manifest, target.ring)
        there = _known_there(ledger, draft, manifest.head, target.ring)
        if not replaces and (not there.is_read or there.last > manifest.head.sequence):
            raise _would_lose(ledger, manifest.head.sequence, there)
        told = [witness.head.sequence for witness in target.witnesses]
        known = max(manifest.head.sequence, there.last, *told)
        reset_head(head_path(draft), manifest.head, target.key)
        receipt = _break(draft, target, entry, known)
        walk_ledger(draft, target.ring, target.witnesses, each)
        aside = _set_aside(ledger, f"replaced-{entry.at:%Y%m%dT%H%M%S.%f}")
        _swap(draft, ledger)
    return PutBack(receipt=receipt, aside=aside)


def put_to_try(
    backup: Path,
    manifest: Manifest,
    ledger: Path,
    ring: KeyRing,
    each: Callable[[StoredEntry], None],
) -> None:
    """Put the ledger of a backup where none is, as it was signed: nothing is signed for it.

    A break that this rack has signed would be a rollback of its live ledger in anybody's hand.

    Raises BackupInvalid as `put_back` does, UsageRefused where a ledger is there.
    """
    if ledger.exists() or head_path(ledger).exists():
        message = f"{ledger} is there: a trial replaces nothing, name an empty folder"
        raise UsageRefused(message)
    if Part.HEAD not in manifest.files:
        raise BackupInvalid(f"{backup} names no signed head")
    head = _checked(part_path(backup, Part.HEAD), manifest.files[Part.HEAD])
    with _draft(ledger) as draft:
        _take(part_path(backup, Part.LEDGER), draft, manifest, ring)
        replace_file(head_path(draft), head)
        with closing(open_for_reading(draft)) as copy:
            end_of_chain(copy, signed=manifest.head, key=ring, each=lambda row: each(unseal(row)))
        _swap(draft, ledger)


def read_small_parts(backup: Path, manifest: Manifest) -> dict[Part, bytes]:
    """What a backup holds beside its ledger; BackupInvalid unless it is what was signed for."""
    return {
        part: _checked(part_path(backup, part), digest)
        for part, digest in manifest.files.items()
        if part is not Part.LEDGER
    }


def _checked(path: Path, digest: Digest) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(digest.bytes + 1)
    except FileNotFoundError as error:
        raise BackupInvalid(f"{path} isn't there") from error
    if Digest(bytes=len(data), sha256=hashlib.sha256(data).hexdigest()) != digest:
        raise BackupInvalid(f"{path} {_NOT_SIGNED_FOR}")
    return data


def _take(source: Path, draft: Path, manifest: Manifest, ring: KeyRing) -> None:
    """Only what was copied is looked at, so that it is what is put back."""
    try:
        shutil.copyfile(source, draft)
    except FileNotFoundError as error:
        raise BackupInvalid(f"{source} isn't there") from error
    draft.chmod(PRIVATE_MODE)
    sync_file(draft)
    if digest_of(draft) != manifest.files[Part.LEDGER]:
        raise BackupInvalid(f"{source} {_NOT_SIGNED_FOR}")
    verify_file(draft, manifest.head, ring, behind=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _There:
    """The ledger that a backup takes the place of."""

    last: int
    """The highest number that it is known to have given."""
    is_read: bool
    """Whether it could be read, and is of the backup's own history: else it may hold anything."""


def _known_there(ledger: Path, draft: Path, kept: Head, ring: KeyRing) -> _There:
    last = 0
    try:
        signed = read_head(head_path(ledger), ring, strict=False)
        last = signed.sequence if signed else 0
        if not ledger.exists():
            return _There(last=last, is_read=True)
        with closing(open_for_reading(ledger)) as there, closing(open_for_reading(draft)) as copy:
            end = _last(there)
            last = max(last, end)
            shared = min(end, kept.sequence)
            is_ours = not shared or _hash(there, shared) == _hash(copy, shared)
    except (LedgerBroken, apsw.Error):
        is_ours = False
    return _There(last=last, is_read=is_ours)


def _last(connection: apsw.Connection) -> int:
    match next(query(connection, "SELECT max(sequence) FROM record"), None):
        case (int() as sequence,):
            return sequence
        case _:
            return 0


def _hash(connection: apsw.Connection, sequence: int) -> object:
    sql = "SELECT hash FROM record WHERE sequence <= ? ORDER BY sequence DESC LIMIT 1"
    return next(query(connection, sql, (sequence,)), None)


def _would_lose(ledger: Path, kept: int, there: _There) -> WouldLose:
    what = (
        f"goes to record {there.last}, and the backup to record {kept}"
        if there.is_read
        else "can't be read, or isn't of the backup's own history"
    )
    return WouldLose(f"the ledger {ledger} {what}", kept=kept, known=there.last)


def _break(draft: Path, target: Target, entry: Entry, known: int) -> Receipt:
    store = LedgerStore(draft, target.key, ring=target.ring, behind=True)
    try:
        return store.number_on(entry, known=known)
    finally:
        store.close()


def _set_aside(ledger: Path, ending: str) -> Path | None:
    """Second names for what lies there."""
    aside = ledger.with_name(f"{ledger.name}.{ending}")
    for beside in (_itself, _wal, head_path):
        with suppress(FileNotFoundError):
            beside(aside).hardlink_to(beside(ledger))
    sync_directory(ledger.parent)
    return aside if aside.exists() else None


def _swap(draft: Path, ledger: Path) -> None:
    head_path(draft).replace(head_path(ledger))
    sync_directory(ledger.parent)
    # SQLite would read a WAL that is left into whatever ledger lies beside it.
    _wal(ledger).unlink(missing_ok=True)
    ledger.with_name(ledger.name + "-shm").unlink(missing_ok=True)
    sync_directory(ledger.parent)
    draft.replace(ledger)
    sync_directory(ledger.parent)


def _itself(ledger: Path) -> Path:
    return ledger


def _wal(ledger: Path) -> Path:
    return ledger.with_name(ledger.name + "-wal")


@contextmanager
def _draft(ledger: Path) -> Generator[Path]:
    draft = ledger.with_name(ledger.name + ".restoring")
    _remove(draft)
    try:
        yield draft
    finally:
        _remove(draft)


def _remove(draft: Path) -> None:
    for ending in ("", ".head", ".head.new", ".lock", "-wal", "-shm"):
        draft.with_name(draft.name + ending).unlink(missing_ok=True)
