"""The rack's key is retired and the next one takes over, whole or not at all.

Everything is made beside the files in use. Once the next ring lies there, the rotation is
decided: a daemon doesn't start before it is at its end, and the same command brings it there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import anyio
from anyio import to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.certificate import SigningKey, load_key, load_rack_key
from benchd.certificate.signed_pictures import paper_digests
from benchd.config import Settings
from benchd.config.fresh_pictures import TAKINGS, read_signed
from benchd.daemon.directories import make_directories
from benchd.daemon.issued_certificates import Issued
from benchd.daemon.ledger_witnesses import witnesses_of
from benchd.daemon.rack_people import give_back
from benchd.daemon.system_clock import SystemClock
from benchd.devices.felica.verdict.baselines import captured_digests
from benchd.domain.errors import DependencyMissing, NoLedger, UsageRefused, WouldVoid
from benchd.domain.ids import Evidence
from benchd.domain.person_names import operator_name
from benchd.domain.record import Entry, EntryKind
from benchd.ledger.durable_files import replace_file, sync_directory
from benchd.ledger.head import Head
from benchd.ledger.ledger_store import LedgerStore
from benchd.ledger.ledger_walk import check_present, has_rotation, walk_ledger
from benchd.ledger.lock import writer_lock
from benchd.ledger.witness import Witness
from benchd.people.person_secrets import PURPOSE as PEOPLE
from benchd.proof.evidence.fresh_evidence import SignedTaking
from benchd.signing.key_ring import KeyRing
from benchd.signing.key_store import KeyFiles, load_ring, load_secrets
from benchd.signing.private_key import PRIVATE_MODE, PUBLIC_MODE, private_pem
from benchd.signing.public_key import public_key_of
from benchd.signing.rack_secrets import (
    CHIP_SALT,
    PICTURE_MARKS,
    SECRET_BYTES,
    RackSecrets,
    kept_secrets,
)
from benchd.signing.rotation import Retired, Retirement, rotate


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """How a rotation has ended."""

    ring: KeyRing
    doubtful: int
    """Certificates on record that it doesn't name, since their own records don't bear them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """What a rotation may leave behind, since somebody has said so."""

    certificates: int = 0
    """At most so many that the key has signed and the ledger doesn't hold: they count no more."""
    ledger: bool = False
    """Whether a lost key may be retired without a ledger: then nothing that it signed counts."""


NOTHING_LEFT: Final = Leave()


async def rotate_key(
    settings: Settings, *, why: Retired, operator: str, because: str, leave: Leave = NOTHING_LEFT
) -> Rotated:
    """Retire the rack's key, or go on with a rotation that was cut short.

    Raises WouldVoid or NoLedger for what it isn't to `leave` behind, LedgerFault while the daemon
    runs, LedgerBroken for a ledger that doesn't hold, DependencyMissing where a file is missing,
    UsageRefused where the key isn't lost at all, or another rotation goes on.
    """
    files = KeyFiles(settings.certificate.key)
    make_directories(settings)
    told: Evidence = {"operator": operator_name(operator), "because": because}
    one = anyio.CapacityLimiter(1)
    doubtful = 0
    try:
        with _alone(files):
            if not files.next_ring.exists():
                old = load_rack_key(files.key, {}) if why is Retired.ROTATED else _lost(files)
                ring = old.ring if isinstance(old, SigningKey) else old
                witnesses = await witnesses_of(settings, ring)
                decide = partial(_decide, settings, files, old, witnesses, leave)
                doubtful = await to_thread.run_sync(decide, limiter=one)
            finish = partial(_finish, settings.ledger.path, files, told)
            ring = await to_thread.run_sync(finish, limiter=one)
    finally:
        give_back(settings.ledger.path)
    return Rotated(ring=ring, doubtful=doubtful)


@contextmanager
def _alone(files: KeyFiles) -> Generator[None]:
    """One at a time, from the look at what there is to the end; the kernel lets go of the dead.

    The ledger's lock is taken and left in between: another rotation would begin right there, from
    the key that this one has just retired.
    """
    descriptor = os.open(files.key.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another rotation of {files.key} goes on: wait for its end"
            raise UsageRefused(message) from error
        yield
    finally:
        os.close(descriptor)


def _lost(files: KeyFiles) -> KeyRing:
    """The public keys of a rack that has lost its private one."""
    try:
        public_key = public_key_of(files.public.read_bytes())
    except OSError as error:
        message = f"{files.public} can't be read: {error.strerror}"
        cure = "Put it back from any copy that was handed out: the ledger is checked with it."
        raise DependencyMissing(message, cure=cure) from error
    if files.key.exists():
        message = f"{files.key} is there: `benchd key rotate`, or move it away if it is damaged"
        raise UsageRefused(message)
    return load_ring(files.ring, public_key)


def _decide(
    settings: Settings,
    files: KeyFiles,
    old: SigningKey | KeyRing,
    witnesses: Sequence[Witness],
    leave: Leave,
) -> int:
    """Make the next key and ring; how many certificates on record are in doubt."""
    ring = old.ring if isinstance(old, SigningKey) else old
    new = SigningKey(Ed25519PrivateKey.generate())
    with writer_lock(settings.ledger.path):
        if isinstance(old, SigningKey):
            check_present(settings.ledger.path, witnesses)
        elif not leave.ledger and not settings.ledger.path.exists():
            message = f"there is no ledger {settings.ledger.path} to say what the key has signed"
            raise NoLedger(message)
        issued = Issued(ring)
        end = walk_ledger(settings.ledger.path, ring, witnesses, issued.see)
        _check_left_out(issued, settings.certificate.directory, leave)
        papers = _papers_signed(settings, ring)
        secrets = _secrets(files, old if isinstance(old, SigningKey) else None)
        retirement = Retirement(
            why=Retired.ROTATED if isinstance(old, SigningKey) else Retired.LOST,
            at=SystemClock().now(),
            sequence=end.sequence,
            head_hash=end.hash.hex(),
            certificates=frozenset(issued.certificates),
            papers=papers,
            secrets_sha256=secrets.sha256(),
        )
        previous = ring.rotations[-1].digest if ring.rotations else None
        retired = old.private if isinstance(old, SigningKey) else ring.trusted
        rotation = rotate(retired, new.private, retirement, previous)
        _keep(files, files.next_key, private_pem(new), PRIVATE_MODE)
        _keep(files, files.next_ring, ring.with_rotation(rotation).encode(), PUBLIC_MODE)
    return len(issued.doubtful)


def _check_left_out(issued: Issued, directory: Path, leave: Leave) -> None:
    """A restore loses ends of jobs, and their certificates are with customers by then."""
    try:
        count = len(issued.left_out(directory))
    except OSError as error:
        message = f"the certificates in {directory} can't be read: {error.strerror}"
        raise DependencyMissing(message, cure="Make them readable for benchd's user.") from error
    if count > leave.certificates:
        message = f"{directory} has {count} certificates of this key that the ledger doesn't hold"
        raise WouldVoid(message, count=count)


def _finish(ledger: Path, files: KeyFiles, told: Evidence) -> KeyRing:
    """Put a rotation that is decided into effect; each step may have been done before."""
    new = load_key(files.next_key if files.next_key.exists() else files.key)
    ring = load_ring(files.next_ring, new.public)
    _record(ledger, new, ring, told)
    _take_secrets(files, ring)
    if files.next_key.exists():
        # The private key that is retired is gone with this: nobody needs it, and a kept one leaks.
        files.next_key.replace(files.key)
        sync_directory(files.key.parent)
    _keep(files, files.public, new.public_key_pem, PUBLIC_MODE)
    # Made anew, whoever made the next one; that goes last: as long as it's there, no daemon starts.
    _keep(files, files.ring, ring.encode(), PUBLIC_MODE)
    files.next_ring.unlink()
    sync_directory(files.ring.parent)
    return ring


def _record(ledger: Path, new: SigningKey, ring: KeyRing, told: Evidence) -> None:
    rotation = ring.rotations[-1]
    retirement = rotation.retirement
    store = LedgerStore(ledger, new, ring=ring, behind=True)
    try:
        expected = Head(sequence=retirement.sequence, hash=bytes.fromhex(retirement.head_hash))
        if store.head == expected:
            data = {**told, **rotation.as_record()}
            store.append(Entry(kind=EntryKind.KEY_ROTATED, at=retirement.at, data=data))
            return
    finally:
        store.close()
    if not has_rotation(ledger, rotation.digest):
        message = "the ledger went on after the rotation was decided, under the old key"
        cure = "Take the .next and .ring.next files beside the key away, and rotate anew."
        raise DependencyMissing(message, cure=cure)


def _secrets(files: KeyFiles, key: SigningKey | None) -> RackSecrets:
    """What outlives the key: as kept, as the key derives it until now, or drawn where it's lost.

    Those that are new wait beside the next ring: a rotation that isn't decided after all, and
    whose key is then put back, must have changed nothing.
    """
    kept = load_secrets(files.secrets)
    if kept is not None:
        return kept
    seed = os.urandom(SECRET_BYTES)
    purposes = (CHIP_SALT, PICTURE_MARKS, PEOPLE) if key is not None else ()
    derive = key.derive if key is not None else _nothing
    secrets = kept_secrets(derive, purposes, seed)
    _keep(files, _next_secrets(files), secrets.encode(), PRIVATE_MODE)
    return secrets


def _take_secrets(files: KeyFiles, ring: KeyRing) -> None:
    """Put the secrets of this rotation into effect, and leave no others lying about."""
    waiting = _next_secrets(files)
    secrets = load_secrets(waiting)
    if secrets is None:
        return
    if secrets.sha256() == ring.rotations[-1].retirement.secrets_sha256:
        waiting.replace(files.secrets)
    else:
        waiting.unlink()
    sync_directory(waiting.parent)


def _next_secrets(files: KeyFiles) -> Path:
    return files.secrets.with_name(files.secrets.name + ".next")


def _nothing(purpose: bytes) -> bytes:
    raise AssertionError(purpose)


def _keep(files: KeyFiles, path: Path, data: bytes, mode: int) -> None:
    """Write a file whole, of the owner that the key's folder has or the key itself."""
    draft = path.with_name(path.name + ".draft")
    replace_file(draft, data)
    owner = (files.key if files.key.exists() else files.key.parent).stat()
    # All before it has its name: cut here, the file must be one that the daemon can read.
    if os.geteuid() == 0:
        os.chown(draft, owner.st_uid, owner.st_gid)
    draft.chmod(mode)
    draft.replace(path)
    sync_directory(path.parent)


def _papers_signed(settings: Settings, ring: KeyRing) -> frozenset[str]:
    """What the key has signed beside certificates, and that still counts after its rotation.

    The digests of the fresh pictures, takings and captured baselines of this configuration.
    Raises UsageRefused or DataFileInvalid for a file that can't be read.
    """
    takings = [
        read_signed(path, SignedTaking) for path in sorted(settings.fresh_folder.glob(TAKINGS))
    ]
    return paper_digests(settings.fresh_pictures, takings, ring) | captured_digests(
        settings.felica.baselines, ring
    )
