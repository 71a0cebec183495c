"""A head that is signed before its records are committed, so that a crash leaves none unsigned.

One record after the signed head is what a crash may leave of a lone append, and nobody believes
more ([52](docs/adr/0052-group-commit.md)). Of several that share a commit the rack says first which
they are: by the number and the hash of the last, which the chain ties all the others to.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchd.domain.ids import JsonValue
from benchd.ledger.head import Head
from benchd.signing import canonical
from benchd.signing.private_key import SigningKey
from benchd.signing.public_key import Signer, has_signed_record
from benchd.signing.signed_claim import encode_signed, signed_bytes, with_signature

# Keeps its signature from being taken for one of a head that was reached.
_DOMAIN = b"benchd ledger prepared v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A ledger has reached one head, and is about to reach the next, or won't."""

    reached: Head
    next: Head


def encode_prepared(prepared: Prepared, key: SigningKey) -> bytes:
    """Both heads with their one signature, as canonical JSON."""
    return encode_signed(_claim(prepared), _DOMAIN, key)


def decode_prepared(data: bytes, key: Signer) -> Prepared:
    """Both heads in canonical JSON; raises ValueError unless it is just as the rack wrote it."""
    match canonical.decode(data):
        case {"reached": reached, "next": next_, "signature": str() as signature_hex}:
            prepared = Prepared(reached=_head(reached), next=_head(next_))
            signature = bytes.fromhex(signature_hex)
        case _:
            message = "it doesn't have the form of a prepared head"
            raise ValueError(message)
    claim = _claim(prepared)
    if with_signature(claim, signature) != data:
        message = "it isn't written as benchd writes it"
        raise ValueError(message)
    signed = signed_bytes(claim, _DOMAIN)
    if prepared.reached.sequence >= prepared.next.sequence:
        message = "it leads backwards"
        raise ValueError(message)
    # A retired key vouches for no record that came after it.
    if not has_signed_record(key, signed, signature, sequence=prepared.next.sequence):
        message = "it isn't signed by this rack's key, or has changed"
        raise ValueError(message)
    return prepared


def is_prepared(data: bytes) -> bool:
    """Whether these bytes claim to be a prepared head; raises ValueError for what is no JSON."""
    match canonical.decode(data):
        case {"next": _}:
            return True
        case _:
            return False


def _claim(prepared: Prepared) -> dict[str, JsonValue]:
    return {"reached": _plain(prepared.reached), "next": _plain(prepared.next)}


def _plain(head: Head) -> dict[str, JsonValue]:
    return {"sequence": head.sequence, "hash": head.hash.hex()}


def _head(value: JsonValue) -> Head:
    match value:
        case {"sequence": int() as sequence, "hash": str() as hash_hex}:
            return Head(sequence=sequence, hash=bytes.fromhex(hash_hex))
        case _:
            message = "it doesn't have the form of a head"
            raise ValueError(message)
