"""The honest restore: an older ledger was put back, and the rack says so, signed."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread

from benchd.certificate import load_rack_key
from benchd.certificate.written_once import keep_file
from benchd.config import Settings
from benchd.daemon.after_restore import ForSale, LookAt, look_at
from benchd.daemon.ledger_witnesses import witnesses_of
from benchd.daemon.rack_backup import put_secrets_back
from benchd.daemon.rack_people import give_back, like_its_folder, make_like
from benchd.daemon.system_clock import SystemClock
from benchd.domain.errors import CertificateInvalid, LedgerBroken, SignedByRetired, UsageRefused
from benchd.domain.person_names import operator_name
from benchd.domain.record import Entry, EntryKind, Receipt, StoredEntry
from benchd.ledger.head import Head
from benchd.ledger.head_file import head_path, read_head
from benchd.ledger.ledger_store import LedgerStore
from benchd.ledger.manifest import Manifest, Part, check_name, read_manifest
from benchd.ledger.restore import (
    PutBack,
    Target,
    put_to_try,
    read_small_parts,
    restore_from_backup,
)
from benchd.signing.key_ring import KeyRing

STATE_MODE = 0o700


async def record_restored(
    settings: Settings,
    *,
    operator: str,
    because: str,
    retired: bool = False,
    unsigned: bool = False,
) -> Receipt:
    """Record that what followed the ledger's last record may be lost, numbered above all known.

    Its record tells how far the ledger was signed before. `retired` has it take one that none but
    a retired key has signed, `unsigned` more records after that than a crash leaves.

    Raises LedgerFault while the daemon runs, SignedByRetired or LedgerBroken without the two.
    """
    key = load_rack_key(settings.certificate.key, os.environ)
    witnesses = await witnesses_of(settings, key.ring)
    known = max((witness.head.sequence for witness in witnesses), default=0)
    signed = _signed(settings.ledger.path, key.ring, retired=retired)
    entry = _entry(operator, because)
    entry = replace(entry, data={**entry.data, "signed_sequence": signed.sequence if signed else 0})

    def write() -> Receipt:
        store = LedgerStore(
            settings.ledger.path, key, ring=key.ring, behind=True, unsigned=unsigned
        )
        try:
            return store.number_on(entry, known=known)
        finally:
            store.close()

    try:
        return await to_thread.run_sync(write, limiter=anyio.CapacityLimiter(1))
    finally:
        give_back(settings.ledger.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """How a restore has ended."""

    ledger: Path
    manifest: Manifest
    put: PutBack
    certificates: int
    """So many have their files again."""
    look_at: LookAt


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How a trial of a backup has ended."""

    ledger: Path
    manifest: Manifest
    certificates: int


def try_backup(settings: Settings, backup: Path, folder: Path, *, retired: bool = False) -> Tried:
    """Put a backup into another folder, to look at: nothing is signed, and no daemon starts on it.

    Raises what `put_to_try` does, UsageRefused for the folder of the rack's own ledger.
    """
    own = settings.ledger.path
    ledger, certificates = folder / own.name, folder / settings.certificate.directory.name
    if folder.resolve() == own.parent.resolve():
        message = f"{folder} is where this rack's own ledger is: leave --to out, or name another"
        raise UsageRefused(message)
    ring = load_rack_key(settings.certificate.key, os.environ).ring
    manifest = read_manifest(backup, ring, retired=retired)
    check_name(backup, manifest)
    secrets = read_small_parts(backup, manifest).get(Part.PEOPLE)
    for place in (folder, certificates):
        place.mkdir(STATE_MODE, parents=True, exist_ok=True)
    files = CertificateFiles(certificates)
    put_to_try(backup, manifest, ledger, ring, files.see)
    if secrets is not None:
        put_secrets_back(ledger, secrets)
    return Tried(ledger=ledger, manifest=manifest, certificates=files.kept)


async def restore_backup(
    settings: Settings,
    backup: Path,
    *,
    operator: str,
    because: str,
    replaces: bool = False,
    retired: bool = False,
) -> Restored:
    """Put a backup in place, by its manifest: ledger, badges and PINs, files of certificates.

    `retired` has it believed too where the key that signed it was retired since.

    Raises what `put_back` does; a restore that is refused has changed nothing.
    """
    key = load_rack_key(settings.certificate.key, os.environ)
    manifest = read_manifest(backup, key.ring, retired=retired)
    check_name(backup, manifest)
    secrets = read_small_parts(backup, manifest).get(Part.PEOPLE)
    ledger, certificates = settings.ledger.path, settings.certificate.directory
    there = next(folder for folder in ledger.parents if folder.exists())
    make_like(ledger.parent, there, mode=STATE_MODE)
    make_like(certificates, ledger.parent, mode=STATE_MODE)
    witnesses = await witnesses_of(settings, key.ring)
    target = Target(ledger=ledger, key=key, ring=key.ring, witnesses=witnesses)
    files, for_sale = CertificateFiles(certificates), ForSale()

    def see(stored: StoredEntry) -> None:
        files.see(stored)
        for_sale.see(stored)

    put = partial(
        restore_from_backup,
        backup,
        manifest,
        target,
        _entry(operator, because),
        replaces=replaces,
        each=see,
    )
    one = anyio.CapacityLimiter(1)
    try:
        done = await to_thread.run_sync(put, limiter=one)
        if secrets is not None:
            await to_thread.run_sync(put_secrets_back, ledger, secrets, limiter=one)
        look = partial(look_at, for_sale, done.aside, manifest.head, key.ring, witnesses)
        looked = await to_thread.run_sync(look, limiter=one)
    finally:
        give_back(ledger)
        like_its_folder(certificates, "*.json")
    return Restored(
        ledger=ledger, manifest=manifest, put=done, certificates=files.kept, look_at=looked
    )


class CertificateFiles:
    """Writes the file of each certificate that a ledger holds; one that is there stays."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.kept = 0

    def see(self, stored: StoredEntry) -> None:
        """The next record."""
        told = stored.entry.data.get("certificate")
        if stored.entry.kind is EntryKind.JOB_ENDED and isinstance(told, str) and told:
            # Another content isn't ours to judge here: a start asks it as a witness.
            with suppress(CertificateInvalid):
                keep_file(self._directory, str(stored.entry.job), told.encode())
                self.kept += 1


def _signed(ledger: Path, ring: KeyRing, *, retired: bool) -> Head | None:
    """The ledger's signed head; `retired` has it believed too where none but a retired key did."""
    path = head_path(ledger)
    signed = read_head(path, ring, strict=False)
    if signed is not None and not retired and not _is_newest_key(path, ring, signed):
        raise SignedByRetired(f"{ledger}: it is signed by a key that was retired since")
    return signed


def _is_newest_key(path: Path, ring: KeyRing, signed: Head) -> bool:
    try:
        return read_head(path, ring.trusted, strict=False) == signed
    except LedgerBroken:
        return False


def _entry(operator: str, because: str) -> Entry:
    return Entry(
        kind=EntryKind.LEDGER_RESTORED,
        at=SystemClock().now(),
        data={"operator": operator_name(operator), "because": because},
    )
