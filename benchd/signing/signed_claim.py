"""A signed claim: canonical JSON with the signature as one of its members.

What is signed is the rest of it, after a text that no other kind of claim has: its `domain`.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchd.domain.ids import JsonValue
from benchd.signing import canonical
from benchd.signing.private_key import SigningKey
from benchd.signing.public_key import Signer, has_signed


def encode_signed(claim: Mapping[str, JsonValue], domain: bytes, key: SigningKey) -> bytes:
    """The claim, signed by this key."""
    return with_signature(claim, key.sign(signed_bytes(claim, domain)))


def with_signature(claim: Mapping[str, JsonValue], signature: bytes) -> bytes:
    """The claim with a signature that was made of it."""
    return canonical.encode({**claim, "signature": signature.hex()})


def signed_bytes(claim: Mapping[str, JsonValue], domain: bytes) -> bytes:
    """What is signed of a claim."""
    return domain + canonical.encode(claim)


def is_signed(told: JsonValue, domain: bytes, signer: Signer) -> bool:
    """Whether this is a claim with a signature of just that; ValueError if one isn't hex."""
    match told:
        case {"signature": str() as signature, **claim}:
            return has_signed(signer, signed_bytes(claim, domain), bytes.fromhex(signature))
        case _:
            return False
