"""A signed head: how far the chain had come, by the rack's own word.

A hash chain can't tell that its tail is missing. A head that is kept beside it can.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchd.ledger.ledger_record import GENESIS
from benchd.signing import canonical
from benchd.signing.key_ring import KeyRing
from benchd.signing.private_key import SigningKey
from benchd.signing.public_key import Signer, has_signed, has_signed_record
from benchd.signing.signed_claim import encode_signed, signed_bytes, with_signature

# Keeps a signature of a head from being taken for a signature of anything else.
_DOMAIN = b"benchd ledger head v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last record of a ledger by number and hash."""

    sequence: int
    hash: bytes


EMPTY_HEAD = Head(sequence=0, hash=GENESIS)


def encode_head(head: Head, key: SigningKey) -> bytes:
    """A head with its signature, as canonical JSON."""
    return encode_signed(_claim(head), _DOMAIN, key)


def decode_head(data: bytes, key: Signer) -> Head:
    """The head in canonical JSON; raises ValueError unless it is just as the rack wrote it."""
    head, message, signature = _read(data)
    if not has_signed_record(key, message, signature, sequence=head.sequence):
        refusal = "it isn't signed by this rack's key, or has changed"
        raise ValueError(refusal)
    return head


def is_by_retired_key(data: bytes, ring: KeyRing) -> bool:
    """Whether none but a retired key of the rack has signed this head: then its thief may have.

    Raises ValueError for what isn't a head.
    """
    _, message, signature = _read(data)
    if has_signed(ring.trusted, message, signature):
        return False
    return ring.has_ever_signed(message, signature)


def _read(data: bytes) -> tuple[Head, bytes, bytes]:
    """What a head says, what was signed of it, and a signature that nobody has checked."""
    match canonical.decode(data):
        case {"sequence": int() as sequence, "hash": str() as hash_hex, "signature": str() as sig}:
            head = Head(sequence=sequence, hash=bytes.fromhex(hash_hex))
            signature = bytes.fromhex(sig)
        case _:
            message = "it doesn't have the form of a head"
            raise ValueError(message)
    claim = _claim(head)
    if with_signature(claim, signature) != data:
        message = "it isn't written as benchd writes it"
        raise ValueError(message)
    return head, signed_bytes(claim, _DOMAIN), signature


def _claim(head: Head) -> dict[str, int | str]:
    return {"sequence": head.sequence, "hash": head.hash.hex()}
