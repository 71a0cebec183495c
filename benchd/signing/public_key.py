"""The public half of a rack's key, as outsiders hold it."""

from __future__ import annotations

import hashlib
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from benchd.domain.errors import UsageRefused


def public_key_of(pem: bytes) -> Ed25519PublicKey:
    """The Ed25519 key in a PEM text; raises UsageRefused for anything else."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        message = "the public key isn't PEM; it's the .pub file beside the rack's signing key"
        raise UsageRefused(message) from error
    if not isinstance(key, Ed25519PublicKey):
        message = "the public key isn't an Ed25519 key"
        raise UsageRefused(message)
    return key


class ManyKeys(Protocol):
    """All keys that a rack has had (`benchd.signing.key_ring`)."""

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether one of them has signed this, and still counts for it."""
        ...

    def has_signed_record(self, message: bytes, signature: bytes, *, sequence: int) -> bool:
        """Whether the one that signed the ledger when it had this number has signed this."""
        ...


Signer = Ed25519PublicKey | ManyKeys
"""Who may have signed: one key, or a rack that has had several."""


def key_id_of(public_key: Ed25519PublicKey) -> str:
    """SHA-256 of the raw public key, as hex."""
    return hashlib.sha256(public_key.public_bytes_raw()).hexdigest()


def has_signed_record(key: Signer, message: bytes, signature: bytes, *, sequence: int) -> bool:
    """Whether who signed the ledger when it had this number has signed exactly this message."""
    if isinstance(key, Ed25519PublicKey):
        return has_signed(key, message, signature)
    return key.has_signed_record(message, signature, sequence=sequence)


def has_signed(key: Signer, message: bytes, signature: bytes) -> bool:
    """Whether the key's owner has signed exactly this message."""
    if not isinstance(key, Ed25519PublicKey):
        return key.has_signed(message, signature)
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
