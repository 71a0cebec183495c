"""The ledger and the key that signs it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchd.cli.doctor.daemon import DaemonAnswer
from benchd.cli.doctor.findings import About, Finding
from benchd.cli.doctor.folders import Owner
from benchd.cli.doctor.machine import DAEMON
from benchd.cli.doctor.resource_holders import lock_holder
from benchd.cli.doctor.rights import changed_by, opened_by
from benchd.cli.misuse import why
from benchd.daemon.ledger_witnesses import certificates_that_know
from benchd.domain.errors import BenchdError, DependencyMissing
from benchd.ledger.head_file import head_path, read_heads
from benchd.ledger.offline_ledger import end_at_rest, unsigned_records
from benchd.ledger.rotation_check import witnesses_of_ring
from benchd.ledger.unsigned_tail import MOST_UNSIGNED
from benchd.signing.key_ring import KeyRing
from benchd.signing.key_store import KeyFiles, load_rack_key, load_ring
from benchd.signing.private_key import load_key
from benchd.signing.public_key import public_key_of

OLD_AFTER: Final = timedelta(days=3 * 365)
"""As the alert BenchdKeyOld: NIST SP 800-57 part 1, table 1, for a private signature key."""


def ledger(path: Path, key: Path, certificates: Path, told: DaemonAnswer | None) -> Finding:
    """Whether it holds: by the daemon's word, else as a start would find it."""
    about = About("check.ledger").having(path=path)
    if told is not None:
        if told.broken:
            return about.fail("doctor.ledger_holds_not", "cure.verify_ledger")
        return about.having(count=told.records).ok("doctor.ledger_serves")
    held = lock_holder(path.with_name(f"{path.name}.lock"))
    if held is not None and held.service == DAEMON:
        return about.not_checked("doctor.needs_daemon", "cure.restart_benchd")
    if held is not None:
        about = about.having(name=held.name, count=held.pid, detail=held.ended_by)
        return about.fail("doctor.ledger_held", "cure.end_holder")
    try:
        return _at_rest(about, path, key, certificates)
    except OSError as error:
        return _unseen(about, path, error)


def _at_rest(about: About, path: Path, key: Path, certificates: Path) -> Finding:
    """What a start checks, by the same code; every record takes much longer."""
    with path.open("rb"):
        pass
    try:
        ring = _ring_of(key)
    except (BenchdError, ValueError):
        # The check of the key says what is wrong with it.
        return about.not_checked("doctor.needs_key")
    try:
        known = certificates_that_know(certificates, ring)
        heads = read_heads(head_path(path), ring, strict=False)
        end = end_at_rest(path, heads, ring, [*witnesses_of_ring(ring), *known])
    except (BenchdError, ValueError) as broken:
        detail = str(broken).partition("\n")[0]
        return about.having(detail=detail).fail("doctor.ledger_refused", "cure.verify_ledger")
    if end is None:
        return about.not_checked("doctor.unsigned_unread", "cure.verify_ledger")
    return about.having(count=end.sequence).ok("doctor.ledger_signed")


def unsigned(path: Path, key: Path, told: DaemonAnswer | None) -> Finding:
    """How many records follow the last that the rack has signed."""
    about = About("check.unsigned").having(path=path)
    if told is not None:
        return about.ok("doctor.unsigned_by_daemon")
    try:
        return _unsigned_at_rest(about, path, key)
    except OSError as error:
        return _unseen(about, path, error)
    except (BenchdError, ValueError) as broken:
        return about.having(detail=broken).fail("doctor.ledger_damaged", "cure.verify_ledger")


def _unsigned_at_rest(about: About, path: Path, key: Path) -> Finding:
    with path.open("rb"):
        pass
    try:
        ring = _ring_of(key)
    except (BenchdError, ValueError):
        return about.not_checked("doctor.needs_key")
    count = unsigned_records(path, read_heads(head_path(path), ring, strict=False))
    if count is None:
        return about.not_checked("doctor.unsigned_unread", "cure.verify_ledger")
    about = about.having(count=count)
    if count > MOST_UNSIGNED:
        return about.fail("doctor.unsigned_follow", "cure.look_at_unsigned")
    return about.ok("doctor.unsigned_follow")


def _ring_of(key: Path) -> KeyRing:
    """What a start would trust: the key that would sign, and else its public half."""
    try:
        public = load_key(key).public
    except BenchdError:
        public = public_key_of(KeyFiles(key).public.read_bytes())
    return load_ring(KeyFiles(key).ring, public)


def _unseen(about: About, path: Path, error: OSError) -> Finding:
    """A ledger that isn't there is none yet; without its key nobody can tell."""
    if not isinstance(error, FileNotFoundError):
        return about.not_to_be_seen(path, error)
    if error.filename == str(path):
        return about.not_checked("doctor.ledger_not_yet", "cure.made_at_start")
    about = about.having(path=error.filename, detail=why(error))
    return about.not_checked("doctor.not_to_be_seen", "cure.key_as_said")


def key_usable(key: Path, environ: Mapping[str, str], owner: Owner) -> Finding:
    """Whether it is there, signs, and nobody else reads or exchanges it."""
    about = About("check.key").having(path=key)
    try:
        opened = _open_to_others(about, key, owner)
        with key.open("rb"):
            pass
    except FileNotFoundError:
        return about.fail("doctor.key_missing", "cure.make_key")
    except OSError as error:
        return about.not_to_be_seen(key, error)
    if opened is not None:
        return opened
    try:
        signs = load_rack_key(key, environ).public
    except DependencyMissing as unusable:
        about = about.having(detail=unusable.message, name=unusable.cure)
        return about.fail("doctor.key_unusable", "cure.key_as_said")
    return _public_half(about, key, signs)


def _open_to_others(about: About, key: Path, owner: Owner) -> Finding | None:
    """The first of the key, its secrets and their folder that isn't root's or benchd's alone."""
    for file in (key, KeyFiles(key).secrets):
        if file is key or file.exists():
            others = opened_by(file, owner)
            if others is not None:
                told = about.having(path=file, value=others)
                return told.fail("doctor.key_open", "cure.close_key")
    folder = key.parent
    others = changed_by(folder, owner)
    if others is None:
        return None
    told = about.having(path=folder, value=others)
    return told.fail("doctor.not_own", "cure.give_to_root")


def _public_half(about: About, key: Path, signs: Ed25519PublicKey) -> Finding:
    """Whether what is handed out is what signatures verify with."""
    about = about.having(value=KeyFiles(key).public)
    try:
        matches = public_key_of(KeyFiles(key).public.read_bytes()) == signs
    except FileNotFoundError:
        return about.fail("doctor.key_without_public", "cure.make_public")
    except (OSError, BenchdError):
        matches = False
    if not matches:
        return about.fail("doctor.key_of_another", "cure.match_public")
    return about.ok("doctor.key_private")


def key_age(key: Path, told: DaemonAnswer | None, now: datetime) -> Finding:
    """Since when it signs: by its ring, else by the daemon's word."""
    about = About("check.key_age")
    since = _rotated_at(key)
    if since is None and told is not None and told.key_created is not None:
        since = datetime.fromtimestamp(told.key_created, UTC)
    if since is None:
        return about.not_checked("doctor.key_age_unknown", "cure.start_benchd")
    age = now - since
    about = about.having(count=max(0, age.days))
    if age > OLD_AFTER:
        return about.warn("doctor.key_days", "cure.rotate_key")
    return about.ok("doctor.key_days")


def _rotated_at(key: Path) -> datetime | None:
    try:
        public = public_key_of(KeyFiles(key).public.read_bytes())
        rotations = load_ring(KeyFiles(key).ring, public).rotations
    except (OSError, BenchdError, ValueError):
        return None
    return rotations[-1].retirement.at if rotations else None
