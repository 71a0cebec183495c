"""The rack's key with all that lies beside its file: the ring for everyone, secrets for nobody."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchd.domain.errors import DependencyMissing, UsageRefused
from benchd.signing.key_ring import MAX_RING_BYTES, KeyRing, decode_ring
from benchd.signing.private_key import (
    PUBLIC_MODE,
    SigningKey,
    create_file,
    key_file,
    load_key,
    public_key_path,
    read_private,
)
from benchd.signing.rack_secrets import NO_SECRETS, RackSecrets, decode_secrets

_FINISH = "Run `benchd key rotate` as before, with the daemon stopped: it goes on where it was cut."
_RING_BACK = (
    "Put back the newest ring: any copy that was handed out will do. Or the newest key, if an"
    " older one lies there."
)
_SECRETS_BACK = "Put back the file from the same backup as the key: without it each chip is new."


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Where all of it lies, by the file of the private key as it's configured."""

    key: Path

    @property
    def public(self) -> Path:
        """The public half of the newest key."""
        return public_key_path(self.key)

    @property
    def old_public(self) -> Path:
        """What lay there before it was made anew."""
        return self._beside(".pub.old")

    @property
    def ring(self) -> Path:
        """All public keys with their rotations; no rotation yet where there is none."""
        return self._beside(".ring")

    @property
    def secrets(self) -> Path:
        """What doesn't change with the key."""
        return self._beside(".secrets")

    @property
    def next_key(self) -> Path:
        """The private key of a rotation that goes on."""
        return self._beside(".next")

    @property
    def next_ring(self) -> Path:
        """The ring of a rotation that goes on: once it's there, the rotation is decided."""
        return self._beside(".ring.next")

    def _beside(self, ending: str) -> Path:
        return self.key.with_name(self.key.name + ending)


def load_rack_key(configured: Path, environ: Mapping[str, str]) -> SigningKey:
    """The key that signs, with its ring and secrets.

    Raises DependencyMissing where one of them can't be used, or a rotation isn't at its end.
    """
    files = KeyFiles(configured)
    if _exists(files.next_ring):
        message = f"a rotation of {configured} was cut short ({files.next_ring})"
        raise DependencyMissing(message, cure=_FINISH)
    key = load_key(key_file(configured, environ))
    ring = load_ring(files.ring, key.public)
    if ring.retired_by(len(ring.keys) - 1) is not None:
        message = f"the key {configured} was retired: the ring {files.ring} names the next one"
        raise DependencyMissing(message, cure=_RING_BACK)
    secrets = load_secrets(key_file(files.secrets, environ))
    if ring.rotations:
        _check_secrets(files.secrets, secrets, ring)
    return replace(key, ring=ring, secrets=secrets)


def remake_public(files: KeyFiles, key: SigningKey) -> Path | None:
    """Write the key's public half beside it anew; where what lay there instead is kept, if it did.

    Raises UsageRefused where it can't be written.
    """
    draft = files.public.with_name(files.public.name + ".draft")
    try:
        draft.unlink(missing_ok=True)
        create_file(draft, key.public_key_pem, PUBLIC_MODE)
        if os.geteuid() == 0:
            owner = files.key.stat()
            os.chown(draft, owner.st_uid, owner.st_gid)
        kept = _kept(files, key.public_key_pem)
        draft.replace(files.public)
    except OSError as error:
        message = f"{files.public}: can't be written: {error.strerror}"
        raise UsageRefused(message) from error
    return kept


def _kept(files: KeyFiles, own: bytes) -> Path | None:
    """Set aside what isn't this key's: where the key is the wrong one, nobody else has it."""
    if not files.public.exists() or files.public.read_bytes() == own:
        return None
    return files.public.replace(files.old_public)


def load_ring(path: Path, trusted: Ed25519PublicKey) -> KeyRing:
    """The ring in a file that leads to this key; that key alone where there is no file."""
    try:
        with path.open("rb") as file:
            return decode_ring(file.read(MAX_RING_BYTES + 1), trusted)
    except FileNotFoundError:
        return KeyRing.of(trusted)
    except OSError as error:
        message = f"the key ring {path} can't be used: {error.strerror}"
        cure = f"Anyone may read it, and benchd's own user has to: `chmod 0644 {path}`."
        raise DependencyMissing(message, cure=cure) from error
    except ValueError as error:
        message = f"the key ring {path} can't be used: {error}"
        raise DependencyMissing(message, cure=_RING_BACK) from error


def load_secrets(path: Path) -> RackSecrets | None:
    """The secrets in a file; None where there is none, as before the first rotation."""
    try:
        data = read_private(path)
        return None if data.strip() == NO_SECRETS else decode_secrets(data)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        message = f"the rack's secrets {path} can't be used: {error}"
        raise DependencyMissing(message, cure=_SECRETS_BACK) from error


def _check_secrets(path: Path, secrets: RackSecrets | None, ring: KeyRing) -> None:
    """Whether they are those of the last rotation: others would make every chip another one."""
    if secrets is None:
        message = f"the rack's secrets {path} aren't there"
        raise DependencyMissing(message, cure=_SECRETS_BACK)
    if secrets.sha256() != ring.rotations[-1].retirement.secrets_sha256:
        message = f"the rack's secrets {path} aren't those of its last rotation"
        raise DependencyMissing(message, cure=_SECRETS_BACK)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
