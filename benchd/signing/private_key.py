"""The rack's Ed25519 key: made once, kept in a file that only benchd can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from benchd.domain.errors import DependencyMissing, UsageRefused
from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import key_id_of
from benchd.signing.rack_secrets import RackSecrets, derived

PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o644
MAX_KEY_BYTES = 16 * 1024

_NO_RING = KeyRing(keys=())
_MAKE_ONE = "Make one with `benchd key create`, or put back the file of this rack."


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private key of a rack; it signs certificates and the ledger's head."""

    private: Ed25519PrivateKey = field(repr=False)
    ring: KeyRing = field(default=_NO_RING, repr=False)
    """This key and those before it, each with what it still counts for."""
    secrets: RackSecrets | None = field(default=None, repr=False)
    """What doesn't change with the key; None on a rack that has never rotated it."""

    def __post_init__(self) -> None:
        """A key that was given no ring is the first of its rack."""
        if not self.ring.keys:
            object.__setattr__(self, "ring", KeyRing.of(self.public))

    @property
    def public(self) -> Ed25519PublicKey:
        """The public half."""
        return self.private.public_key()

    @property
    def key_id(self) -> str:
        """SHA-256 of the raw public key, as hex."""
        return key_id_of(self.public)

    @property
    def public_key_pem(self) -> bytes:
        """The public half, as it is handed out."""
        return self.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature of a message, 64 bytes."""
        return self.private.sign(message)

    def derive(self, purpose: bytes) -> bytes:
        """32 bytes for one purpose, the same for the rack whatever key signs.

        From the key itself only as long as the rack has never rotated it.
        """
        if self.secrets is not None:
            return self.secrets.derive(purpose)
        return derived(self.private.private_bytes_raw(), purpose)


def public_key_path(path: Path) -> Path:
    """Where the public half of a key lies."""
    return path.with_name(path.name + ".pub")


def key_file(configured: Path, environ: Mapping[str, str]) -> Path:
    """Where the key is: what systemd hands over under this file's name comes first.

    Source: systemd.exec(5), LoadCredential=.
    """
    handed_over = environ.get("CREDENTIALS_DIRECTORY")
    if handed_over:
        credential = Path(handed_over) / configured.name
        if credential.exists():
            return credential
    return configured


def load_key(path: Path) -> SigningKey:
    """The key in a PKCS #8 PEM file; raises DependencyMissing where there is none to be used."""
    try:
        pem = read_private(path)
    except FileNotFoundError as error:
        message = f"the signing key {path} isn't there"
        raise DependencyMissing(message, cure=_MAKE_ONE) from error
    except OSError as error:
        message = f"the signing key {path} can't be read: {error.strerror}"
        raise DependencyMissing(
            message, cure="Let the user that benchd runs as read it."
        ) from error
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        message = f"{path} isn't a private key in PEM without a password"
        raise DependencyMissing(message, cure=_MAKE_ONE) from error
    if not isinstance(key, Ed25519PrivateKey):
        message = f"{path} isn't an Ed25519 key"
        raise DependencyMissing(message, cure=_MAKE_ONE)
    return SigningKey(key)


def read_private(path: Path) -> bytes:
    """What a secret file holds. Raises DependencyMissing where others can read it, or OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        _check_mode(path, os.fstat(file.fileno()).st_mode)
        return file.read(MAX_KEY_BYTES)


def private_pem(key: SigningKey) -> bytes:
    """The file of a key: PKCS #8 in PEM, without a password."""
    return key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def create_key(path: Path) -> SigningKey:
    """Make a key and its public half beside it; never touches a file that is there already."""
    key = SigningKey(Ed25519PrivateKey.generate())
    public_path = public_key_path(path)
    try:
        create_file(public_path, key.public_key_pem, PUBLIC_MODE)
        try:
            create_file(path, private_pem(key), PRIVATE_MODE)
        except OSError:
            public_path.unlink()
            raise
    except FileExistsError as error:
        message = f"{error.filename} is there already: a new key would orphan what it has signed"
        raise UsageRefused(message) from error
    except OSError as error:
        message = f"no key can be made at {path}: {error.strerror}"
        raise DependencyMissing(
            message, cure="Make the directory, with room and rights."
        ) from error
    return key


def create_file(path: Path, data: bytes, mode: int) -> None:
    """Make a file that isn't there yet, with this mode whatever the process would give it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _check_mode(path: Path, mode: int) -> None:
    # systemd lets a service read its credentials by an access list, whose mask shows as group bits.
    given_by_systemd = os.environ.get("CREDENTIALS_DIRECTORY") == str(path.parent)
    forbidden = stat.S_IRWXO if given_by_systemd else stat.S_IRWXO | stat.S_IRWXG
    if not stat.S_ISREG(mode) or mode & forbidden:
        message = f"the signing key {path} can be read by others ({stat.filemode(mode)})"
        raise DependencyMissing(message, cure=f"chmod 600 {path}, and think about who has read it.")
