"""The public half of a rack's key, as outsiders hold it."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from benchd.errors import UsageRefused


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


def has_signed(key: Ed25519PublicKey, message: bytes, signature: bytes) -> bool:
    """Whether the key's owner has signed exactly this message."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
